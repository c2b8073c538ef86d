// What is told of a conversation: by one stream a browser, as a browser opens only six connections
// to a site that speaks HTTP/1.1, and six streams would leave none for pages.
//
// The tab that was looked at last has the stream, and tells the others on a channel. Those that can
// be seen too ask every few seconds instead; those that cannot be seen rest, and catch up from where
// they were. A tab whose stream is refused asks until it gets one.
import { find } from "./dom.js";

const SILENCE_MS = 40_000;
const ASK_MS = 4000;
const FIRST_WAIT_MS = 1000;
const LONGEST_WAIT_MS = 30_000;
// How long tabs wait for each other before one takes what another left.
const YIELD_MS = 300;

/** @typedef {Record<string, (data: string) => void>} Acts */
// When a tab took the stream, and which tab it is.
/** @typedef {[at: number, who: number]} Claim */

const who = Math.random();
/** @type {Acts} */
let acts = {};
/** @type {BroadcastChannel | null} */
let channel = null;
// Null while another tab has the stream, or none.
/** @type {Claim | null} */
let mine = null;
/** @type {EventSource | null} */
let source = null;
let followed = "";
let cursor = "";
let heardAt = 0;
let waitMs = FIRST_WAIT_MS;
/** @type {ReturnType<typeof setTimeout> | undefined} */
let timer;
let asked = 0;

function events() {
  const here = find("conversation");
  if (followed !== here?.dataset.key) cursor = here?.dataset.cursor || "";
  followed = here?.dataset.key || "";
  return here?.dataset.events;
}

const address = () => `${events()}?after=${encodeURIComponent(cursor)}`;

/**
 * @param {string} kind
 * @param {string} data
 * @param {string} id
 */
function hear(kind, data, id) {
  heardAt = Date.now();
  if (id) cursor = id;
  acts[kind]?.(data);
}

// End whatever is under way.
function hush() {
  clearTimeout(timer);
  asked += 1;
  source?.close();
  source = null;
}

function stream() {
  hush();
  heardAt = Date.now();
  source = new EventSource(address());
  source.addEventListener("open", () => {
    waitMs = FIRST_WAIT_MS;
    heardAt = Date.now();
  });
  // Cut off, it comes back by itself; refused, it does not.
  source.addEventListener("error", () => {
    if (source?.readyState === EventSource.CLOSED) wait();
  });
  for (const kind of Object.keys(acts)) {
    source.addEventListener(kind, (event) => hear(kind, event.data, event.lastEventId));
  }
}

// Refused: ask, and try again after a while that doubles.
function wait() {
  waitMs = Math.min(waitMs * 2, LONGEST_WAIT_MS);
  ask();
}

// Ask once for what has happened, and again unless this tab gets the stream.
export async function ask() {
  hush();
  const turn = asked;
  let pauseMs = mine ? waitMs : ASK_MS;
  try {
    const answer = await fetch(`${address()}&once=1`, { headers: { Accept: "text/event-stream" } });
    const text = answer.ok ? await answer.text() : "";
    if (turn !== asked) return;
    // Logged out, or deleted elsewhere: the page says so.
    if ([401, 404].includes(answer.status)) {
      location.reload();
      return;
    }
    if (!answer.ok) pauseMs = Math.max(pauseMs, 1000 * Number(answer.headers.get("Retry-After")) || 0);
    read(text);
  } catch {
    // No network: it is tried again below, and when there is one.
  }
  if (turn === asked) timer = setTimeout(() => (mine ? stream() : ask()), pauseMs);
}

/** @param {string} text */
function read(text) {
  for (const frame of text.split("\n\n")) {
    const lines = frame.split("\n");
    /** @param {string} name */
    const field = (name) =>
      lines.filter((line) => line.startsWith(`${name}: `)).map((line) => line.slice(name.length + 2));
    const [kind] = field("event");
    if (kind) hear(kind, field("data").join("\n"), field("id")[0] ?? "");
  }
}

// Who has it.

/**
 * @param {Claim} one
 * @param {Claim} other
 */
const isLater = (one, other) => (one[0] - other[0] || one[1] - other[1]) > 0;

function take() {
  if (document.hidden || !events()) return leave();
  clearTimeout(timer);
  mine = [Date.now(), who];
  channel?.postMessage({ taken: mine });
  stream();
}

function leave() {
  hush();
  if (mine) channel?.postMessage({ left: true });
  mine = null;
}

/** @param {{ taken?: Claim, left?: boolean }} told */
function learn({ taken, left }) {
  const canBeSeen = !document.hidden && events();
  if (taken && mine && isLater(mine, taken)) channel?.postMessage({ taken: mine });
  else if (taken && canBeSeen) {
    mine = null;
    ask();
  } else if (left && canBeSeen && !mine) {
    clearTimeout(timer);
    timer = setTimeout(take, Math.random() * YIELD_MS);
  }
}

function join() {
  if (!channel && "BroadcastChannel" in window) {
    channel = new BroadcastChannel("live");
    channel.addEventListener("message", (event) => learn(event.data));
  }
  take();
}

document.addEventListener("visibilitychange", () => (document.hidden ? leave() : take()));
addEventListener("focus", () => {
  if (!mine) take();
});
addEventListener("online", take);
addEventListener("pageshow", (event) => {
  if (event.persisted) join();
});
addEventListener("pagehide", () => {
  leave();
  channel?.close();
  channel = null;
});
setInterval(() => {
  if (mine && source && Date.now() - heardAt > SILENCE_MS) stream();
}, 10_000);

/**
 * Follow the conversation on the page.
 * @param {Acts} given what to do with each kind of event
 */
export function begin(given) {
  acts = given;
  join();
}

export const isOpen = () => source?.readyState === EventSource.OPEN;
