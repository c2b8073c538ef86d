// The microphone button: what was said becomes words in the form, which their writer sends.
import { insert, offer, refuse } from "./composer.js";
import { closest, find, first, get } from "./dom.js";
import { canRecord, record } from "./recorder.js";

// Whoever presses for so long speaks while they hold; a shorter press begins, and another one ends.
const HELD_MS = 500;
// What is shorter was a slip.
const SHORTEST_SECONDS = 0.4;
const LAST_SECONDS = 60;
const DRAWN_EVERY_MS = 90;
const BARS = 28;

const NO_MICROPHONE = "No microphone was found. Plug one in, or type your message.";
/** @type {Record<string, string>} */
const TROUBLES = {
  NotAllowedError: "The microphone is blocked for this site. Allow it in your browser, then try again.",
  SecurityError: "The microphone is blocked for this site. Allow it in your browser, then try again.",
  NotFoundError: NO_MICROPHONE,
  OverconstrainedError: NO_MICROPHONE,
};
const BUSY = "The microphone cannot be used just now. Close other apps that use it, then try again.";
const SHORT = "That was very short. Tap to record, and tap again when you have finished.";
const OFFLINE = "No answer from the server. Your recording is kept: check your connection and try again.";
/** @type {Record<number, string>} */
const STATUSES = {
  413: "This recording is too large. Please make a shorter one.",
  429: "That was a lot at once. Please try again in a moment.",
};

/** @typedef {"idle" | "asking" | "recording" | "hearing"} State */

/** @type {State} */
let state = "idle";
/** @type {import("./recorder.js").Recording | null} */
let recording = null;
let request = new AbortController();
// The latest recording and its key, until its words are there: it is paid for once.
/** @type {{ sound: Blob, key: string } | null} */
let kept = null;

// What it is may have changed while something was waited for.
/** @param {State} one */
const is = (one) => state === one;

/** @param {State} next */
function enter(next) {
  state = next;
  const form = get("composer");
  if (next === "idle") delete form.dataset.voice;
  else form.dataset.voice = next;
  const isOn = next === "recording" || next === "asking";
  const button = first(".voice-button", form);
  button?.setAttribute("aria-label", isOn ? "Stop and turn it into text" : "Record your message");
  button?.toggleAttribute("disabled", next === "hearing");
  first(".composer-send", form)?.toggleAttribute("disabled", next !== "idle");
}

/** @param {string} words */
const say = (words) => (get("voice-status").textContent = words);

async function begin() {
  kept = null;
  get("composer-notice").replaceChildren();
  enter("asking");
  try {
    const begun = await record(finish);
    if (!is("asking")) return begun.discard();
    recording = begun;
  } catch (error) {
    if (is("asking")) enter("idle");
    const name = error instanceof Error ? error.name : "";
    return refuse(TROUBLES[name] ?? BUSY);
  }
  enter("recording");
  say("Recording. Press Escape to discard it.");
  show([]);
}

/**
 * Draw how loud it was lately and how long it is, until it ends.
 * @param {number[]} levels
 */
function show(levels) {
  if (!is("recording") || !recording) return;
  const seconds = recording.seconds();
  const most = Number(get("voice").dataset.maxSeconds);
  if (seconds >= most) {
    finish();
    return refuse("This is the longest that a recording may be. What you said so far becomes text.");
  }
  const latest = [...levels, recording.level()].slice(-BARS);
  drawLevels(latest);
  drawTime(seconds, most);
  setTimeout(() => show(latest), DRAWN_EVERY_MS);
}

/** @param {number[]} levels */
function drawLevels(levels) {
  const meter = first(".voice-level");
  if (!meter) return;
  while (meter.children.length < BARS) meter.append(document.createElement("i"));
  const bars = /** @type {HTMLElement[]} */ ([...meter.children]);
  const silent = BARS - levels.length;
  bars.forEach((bar, at) => bar.style.setProperty("--level", (levels[at - silent] ?? 0).toFixed(2)));
}

/**
 * @param {number} seconds
 * @param {number} most
 */
function drawTime(seconds, most) {
  const time = first(".voice-time");
  if (!time) return;
  const left = most - seconds;
  const whole = Math.floor(seconds);
  const clock = `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")}`;
  time.textContent = left <= LAST_SECONDS ? `${Math.ceil(left)} s left` : clock;
}

async function finish() {
  if (!is("recording") || !recording) return;
  const ending = recording;
  recording = null;
  const seconds = ending.seconds();
  enter("hearing");
  const sound = await ending.stop();
  if (!is("hearing")) return;
  if (seconds < SHORTEST_SECONDS || !sound.size) {
    enter("idle");
    return refuse(SHORT);
  }
  kept = { sound, key: crypto.randomUUID() };
  await send();
}

async function send() {
  if (!kept) return;
  const mine = kept;
  enter("hearing");
  say("Turning your recording into text.");
  request = new AbortController();
  const answer = await ask(mine, request.signal);
  if (kept !== mine || !is("hearing")) return;
  enter("idle");
  if (answer.text !== undefined) {
    kept = null;
    insert(answer.text);
    return say("Your words are in the message now. Check them, then send.");
  }
  if (answer.again) return offer(answer.refusal, [{ words: "Try again", act: send }, { words: "Discard", act: discard }]);
  kept = null;
  refuse(answer.refusal);
}

/**
 * @typedef {{ text: string, refusal?: undefined, again?: undefined }
 *   | { text?: undefined, refusal: string, again: boolean }} Heard
 */

/**
 * Ask for the words of a recording. It never rejects.
 * @param {{ sound: Blob, key: string }} of
 * @param {AbortSignal} signal
 * @returns {Promise<Heard>}
 */
async function ask({ sound, key }, signal) {
  const body = new FormData();
  body.append("recording", sound, "recording");
  body.append("key", key);
  const token = first('meta[name="csrf-token"]')?.getAttribute("content") ?? "";
  try {
    const answer = await fetch(get("voice").dataset.action ?? "", {
      method: "POST",
      body,
      headers: { "X-CSRFToken": token },
      signal,
    });
    // The login has ended: what is typed is there again after the next one.
    if (answer.redirected) location.reload();
    if (STATUSES[answer.status]) return { refusal: STATUSES[answer.status], again: answer.status === 429 };
    const told = await answer.json();
    if (answer.ok) return { text: told.text };
    return { refusal: told.refusal, again: told.trying_again };
  } catch {
    return { refusal: OFFLINE, again: true };
  }
}

function discard() {
  recording?.discard();
  recording = null;
  kept = null;
  request.abort();
  get("composer-notice").replaceChildren();
  if (is("idle")) return;
  enter("idle");
  say("The recording was discarded.");
}

// A press that began a recording also ends it if it was held; its click does nothing more.

let pressedAt = 0;
let isOfPress = false;

document.addEventListener("pointerdown", (event) => {
  const button = closest(event, '[data-voice="record"]');
  if (!button || event.button !== 0) return;
  isOfPress = is("idle");
  pressedAt = event.timeStamp;
  if (!isOfPress) return;
  // So that it is told of the end wherever the finger is by then.
  button.setPointerCapture(event.pointerId);
  begin();
});

document.addEventListener("pointerup", (event) => {
  if (!isOfPress || !closest(event, '[data-voice="record"]')) return;
  if (event.timeStamp - pressedAt >= HELD_MS) finish();
});

document.addEventListener("click", (event) => {
  if (closest(event, '[data-voice="discard"]')) return discard();
  if (!closest(event, '[data-voice="record"]')) return;
  const isOver = isOfPress;
  isOfPress = false;
  if (isOver) return;
  if (is("idle")) begin();
  else if (is("recording")) finish();
});

// A finger that rests on it would be offered to save a picture.
document.addEventListener("contextmenu", (event) => {
  if (closest(event, '[data-voice="record"]')) event.preventDefault();
});

document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape" || is("idle")) return;
  event.preventDefault();
  discard();
});

// The first message of a conversation brings a new form, and a recording would end with the old one.
/** @param {CustomEvent<HtmxDetail>} event */
function rest(event) {
  const form = event.detail.requestConfig.elt;
  if (form.id !== "composer" || form.matches("[data-draws]")) return;
  first(".voice-button")?.toggleAttribute("disabled", event.type === "htmx:beforeRequest");
}

document.addEventListener("htmx:beforeRequest", rest);
document.addEventListener("htmx:afterRequest", rest);

addEventListener("pagehide", () => recording?.discard());

function prepare() {
  const voice = find("voice");
  if (voice) voice.hidden = !canRecord();
}

document.addEventListener("htmx:load", (event) => {
  if (event.detail.elt.id !== "conversation") return;
  // The form is another one now.
  recording?.discard();
  recording = null;
  state = "idle";
  prepare();
});

prepare();
