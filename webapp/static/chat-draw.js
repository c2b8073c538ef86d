// Drawing a conversation: what the server sends is put in its place, and the end stays in view.
import { all, closest, find, first, get, targetOf } from "./dom.js";

/**
 * What the server says of a part of an answer.
 * @typedef {{ job: string, attempt: number, text: string, html: string, tail: string, words: string }} Told
 */

const NEAR_END_PX = 80;
const NEAR_START_PX = 240;
// Lower than that, notices begin as one line (chat.css has the same measure).
const SHORT_PX = 480;
// The states of an answer that is over.
const ENDS = ["sent", "failed", "stopped"];

/** @param {HTMLElement} run */
const stateOf = (run) => run.dataset.state ?? "";

// Staying at the end, unless the person looks at something further up.

let isAtEnd = true;
const sizes = new ResizeObserver(() => stay());

function stay() {
  const scroll = find("scroll");
  if (scroll && isAtEnd && isBegun()) scroll.scrollTop = scroll.scrollHeight;
  showWayDown();
}

// What nobody has said anything in yet is read from its top.
const isBegun = () => get("exchanges").querySelector("[data-exchange]") !== null;

function showWayDown() {
  const button = find("to-end");
  if (button) button.hidden = isAtEnd || !isBegun();
}

export function goToEnd() {
  isAtEnd = true;
  stay();
}

function onScroll() {
  const scroll = get("scroll");
  isAtEnd = scroll.scrollHeight - scroll.scrollTop - scroll.clientHeight < NEAR_END_PX;
  showWayDown();
  const earlier = find("earlier");
  if (earlier && scroll.scrollTop < NEAR_START_PX && !earlier.dataset.asked) {
    earlier.dataset.asked = "yes";
    earlier.click();
  }
}

// Drawing.

/**
 * Show exchanges as the server drew them. What a form brought back is older than what the stream
 * may have shown meanwhile: then `isNews` is false, and only what is missing is added.
 * @param {string} html
 * @param {{ isNews?: boolean }} [options]
 */
export function drawAll(html, { isNews = true } = {}) {
  const holder = document.createElement("template");
  holder.innerHTML = html;
  for (const fresh of [...holder.content.children]) {
    if (!(fresh instanceof HTMLElement)) continue;
    const old = find(fresh.id);
    if (!fresh.dataset.exchange) old?.replaceWith(fresh);
    else if (!old) addExchange(fresh);
    else if (isNews) updateExchange(old, fresh);
  }
  finish();
}

/**
 * @param {HTMLElement} old
 * @param {HTMLElement} fresh
 */
function updateExchange(old, fresh) {
  updateAsked(old, fresh);
  const stays = new Set();
  const runs = all(".run", fresh);
  const isSameSize = old.querySelectorAll(".run").length === runs.length;
  for (const run of runs) {
    stays.add(run.id);
    const before = find(run.id);
    // What is over is told again to who asks again: it stays, with what is selected in it.
    if (isSameSize && ENDS.includes(stateOf(run)) && before?.dataset.state === run.dataset.state) continue;
    if (before) announce(before, run);
    if (before) replaceRun(before, run);
    else old.append(run);
    htmx.process(run);
  }
  for (const run of all(".run", old)) if (!stays.has(run.id)) run.remove();
}

/**
 * Its writer may have changed a message in their messenger.
 * @param {HTMLElement} old
 * @param {HTMLElement} fresh
 */
function updateAsked(old, fresh) {
  const [before, asked] = [first(".asked", old), first(".asked", fresh)];
  if (!before || !asked || first(".bubble", before)?.textContent === first(".bubble", asked)?.textContent) return;
  before.replaceWith(asked);
}

/**
 * @param {HTMLElement} before
 * @param {HTMLElement} run
 */
function replaceRun(before, run) {
  const hadFocus = before.contains(document.activeElement);
  before.replaceWith(run);
  if (hadFocus) (first("button", run) ?? find("text"))?.focus({ preventScroll: true });
}

/** @param {HTMLElement} fresh */
function addExchange(fresh) {
  const list = get("exchanges");
  const shown = all("[data-exchange]", list);
  // Ids sort by time. What belongs to an earlier page comes with that page.
  const next = shown.find((one) => (one.dataset.exchange ?? "") > (fresh.dataset.exchange ?? ""));
  if (next && next === shown[0] && find("earlier")) return;
  list.querySelector(".empty")?.remove();
  list.insertBefore(fresh, next ?? null);
  htmx.process(fresh);
  const reminder = first(".reminder-said", fresh);
  if (reminder) get("chat-status").textContent = reminder.innerText.replace(/\s+/g, " ");
}

/**
 * What a screen reader says: once, when it is done.
 * @param {HTMLElement} before
 * @param {HTMLElement} run
 */
function announce(before, run) {
  if (stateOf(before) === stateOf(run) || !ENDS.includes(stateOf(run))) return;
  const words = first("[data-answer]", run)?.innerText || run.innerText;
  get("chat-status").textContent = words.replace(/\s+/g, " ").slice(0, 1500);
}

// What was drawn gets what only a script can do.
function finish() {
  const root = get("exchanges");
  for (const head of all(".code-head:not(:has(button))", root)) {
    if (head.closest("[data-tail]") || !navigator.clipboard) continue;
    const button = document.createElement("button");
    button.type = "button";
    button.className = "code-copy";
    button.dataset.copy = "code";
    button.textContent = "Copy";
    head.append(button);
  }
  stay();
}

/**
 * The run that an event adds to; none if the event is of another attempt.
 * @param {Told} told
 */
export function runOf(told) {
  const run = find(`job-${told.job}`);
  return run?.dataset.attempt === String(told.attempt) ? run : null;
}

/**
 * Add plain text to the last paragraph of an answer.
 * @param {HTMLElement} run
 * @param {string} text
 */
export function addText(run, text) {
  const tail = first("[data-tail]", run);
  if (!tail) return;
  if (!tail.lastElementChild) tail.append(document.createElement("p"));
  tail.lastElementChild?.append(text);
  setWriting(run);
}

/**
 * Add finished blocks to an answer, and show its unfinished end. Both were made safe by the server,
 * as every answer is.
 * @param {HTMLElement} run
 * @param {string} html
 * @param {string} end
 */
export function addAnswer(run, html, end) {
  const blocks = first("[data-blocks]", run);
  const tail = first("[data-tail]", run);
  if (!blocks || !tail) return;
  blocks.insertAdjacentHTML("beforeend", html);
  tail.innerHTML = end;
  setWriting(run);
  if (html) finish();
}

/** @param {HTMLElement} run */
function setWriting(run) {
  const words = first("[data-words]", run);
  if (run.dataset.state !== "writing" && words) words.textContent = "Writing";
  run.dataset.state = "writing";
  stay();
}

/**
 * @param {HTMLElement} run
 * @param {string} text
 */
export function setWords(run, text) {
  run.dataset.state = "working";
  const words = first("[data-words]", run);
  if (words) words.textContent = text;
}

document.addEventListener("click", (event) => {
  if (closest(event, "#to-end")) goToEnd();
});
document.addEventListener(
  "scroll",
  (event) => {
    if (targetOf(event)?.id === "scroll") onScroll();
  },
  true,
);

// Earlier messages come above what is looked at, and do not move it.
let fromEnd = 0;

/** @param {CustomEvent<HtmxDetail>} event */
const isEarlier = (event) => event.detail.requestConfig?.elt.id === "earlier";

/** @param {CustomEvent<HtmxDetail>} event */
function askAgain(event) {
  if (isEarlier(event)) delete get("earlier").dataset.asked;
}

document.addEventListener("htmx:responseError", askAgain);
document.addEventListener("htmx:sendError", askAgain);
document.addEventListener("htmx:beforeSwap", (event) => {
  if (isEarlier(event)) fromEnd = get("scroll").scrollHeight - get("scroll").scrollTop;
});
document.addEventListener("htmx:afterSwap", (event) => {
  if (!isEarlier(event)) return;
  finish();
  get("scroll").scrollTop = get("scroll").scrollHeight - fromEnd;
});

export function begin() {
  const notices = find("chat-notices");
  sizes.disconnect();
  sizes.observe(get("scroll"));
  sizes.observe(get("exchanges"));
  if (notices) sizes.observe(notices);
  for (const one of all(".notice-words[open]")) {
    if (one instanceof HTMLDetailsElement) one.open = innerHeight >= SHORT_PX;
  }
  isAtEnd = true;
  finish();
}
