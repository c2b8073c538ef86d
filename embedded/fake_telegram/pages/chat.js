// One chat: its messages as they come, change and go, and what can be done with them.
import { hand } from "./api.js";
import * as composer from "./composer.js";
import { avatar, element, get } from "./dom.js";
import { safe } from "./entities.js";
import * as messages from "./messages.js";
import * as sheets from "./sheets.js";

// How far from its end a list still counts as read to the end.
const NEAR_END_PIXELS = 80;

/** @type {State | null} */
let state = null;
/** @type {Chat | null} */
let chat = null;
// Whether the newest message stays in sight.
let follows = true;
/** @type {ReturnType<typeof setTimeout> | undefined} */
let typingEnds;
/** @type {ReturnType<typeof setTimeout> | undefined} */
let draftEnds;

const list = () => get("messages");
const scroller = () => get("scroller");

/** @type {messages.Acts} */
const acts = { press, options, command: (words) => composer.sendWords(words.split("@")[0]) };

/** @param {Chat} of */
export const nameOf = (of) => (of.chat.type === "private" ? (state?.bot.first_name ?? "") : (of.chat.title ?? ""));

/** @param {State} now */
export function know(now) {
  state = now;
}

/**
 * Show a chat as it is.
 * @param {Chat} shown
 * @param {string} code what the bot is told at the start, by a link
 */
export function open(shown, code) {
  if (!state) return;
  const isSame = chat?.chat.id === shown.chat.id;
  chat = shown;
  composer.enter(state.person.id, chat.chat.id);
  get("chat-name").textContent = nameOf(chat);
  get("chat-avatar").replaceChildren(avatar(nameOf(chat), chat.chat.id));
  if (!isSame) follows = true;
  list().replaceChildren(...chat.messages.map(drawn));
  if (chat.draft) draft(chat.draft);
  showTyping(chat.typing_seconds);
  showFoot(code);
  toEnd();
}

/** @param {string} code */
function showFoot(code) {
  const isPrivate = chat?.chat.type === "private";
  const mustStart = isPrivate && !chat?.is_blocked && (!chat?.is_open || Boolean(code));
  get("start").hidden = !mustStart;
  get("unblock").hidden = !chat?.is_blocked;
  get("gone").hidden = !chat?.has_left;
  get("composer").hidden = mustStart || Boolean(chat?.is_blocked) || Boolean(chat?.has_left);
  get("commands").hidden = !state?.bot.commands.length;
  get("welcome").hidden = Boolean(chat?.messages.length);
}

/** @param {Message} message */
const drawn = (message) => (messages.isService(message) ? messages.service(message) : messages.bubble(message, state?.person.id ?? 0, acts));

/**
 * Show a message that came or changed.
 * @param {Message} message
 */
export function put(message) {
  const known = chat?.messages.findIndex((one) => one.message_id === message.message_id) ?? -1;
  if (known >= 0) chat?.messages.splice(known, 1, message);
  else chat?.messages.push(message);
  const old = document.getElementById(`message-${message.message_id}`);
  const fresh = drawn(message);
  if (old) replace(old, fresh);
  else list().insertBefore(fresh, document.getElementById("draft"));
  if (!old && message.from.is_bot) {
    endDraft();
    showTyping(0);
  }
  get("welcome").hidden = true;
  if (!old && message.from.id === state?.person.id) follows = true;
  toEnd();
}

/**
 * Replace a message by itself, and leave the focus on what it was on.
 * @param {HTMLElement} old
 * @param {HTMLElement} fresh
 */
function replace(old, fresh) {
  const places = "a, button, pre, audio";
  const at = [...old.querySelectorAll(places)].indexOf(document.activeElement ?? document.body);
  old.replaceWith(fresh);
  const again = at >= 0 ? fresh.querySelectorAll(places)[at] : null;
  if (again instanceof HTMLElement) again.focus({ preventScroll: true });
}

/** @param {number} id */
export function remove(id) {
  if (chat) chat.messages = chat.messages.filter((one) => one.message_id !== id);
  document.getElementById(`message-${id}`)?.remove();
}

/** @param {number} seconds */
export function showTyping(seconds) {
  clearTimeout(typingEnds);
  const rest = chat?.chat.type === "private" ? "bot" : "group";
  get("chat-status").textContent = seconds > 0 ? "typing…" : chat?.is_blocked ? "blocked" : rest;
  get("chat-status").classList.toggle("typing", seconds > 0);
  if (seconds > 0) typingEnds = setTimeout(() => showTyping(0), seconds * 1000);
}

/** @param {Draft} shown */
export function draft(shown) {
  endDraft();
  list().append(messages.draftBubble(shown));
  draftEnds = setTimeout(endDraft, shown.seconds * 1000);
}

function endDraft() {
  clearTimeout(draftEnds);
  document.getElementById("draft")?.remove();
}

/** @param {{ text: string, is_alert: boolean, url: string }} answer */
export function hear(answer) {
  const to = safe(answer.url);
  if (to) window.open(to, "_blank", "noopener");
  if (!answer.text) return;
  if (answer.is_alert) sheets.show(nameOf(chat ?? none), element("p", { class: "alert" }, answer.text));
  else sheets.toast(answer.text);
}

/** @type {Chat} */
const none = { chat: { id: 0, type: "private" }, person_id: 0, messages: [], typing_seconds: 0, draft: null };

// Whoever has read to the end stays there, whatever comes or grows; pictures do when they have loaded.
scroller().addEventListener("scroll", () => {
  const { scrollTop, scrollHeight, clientHeight } = scroller();
  follows = scrollHeight - scrollTop - clientHeight < NEAR_END_PIXELS;
});
const watch = new ResizeObserver(toEnd);
watch.observe(list());
watch.observe(scroller());

function toEnd() {
  if (follows) scroller().scrollTop = scroller().scrollHeight;
}

/**
 * @param {Message} message
 * @param {KeyboardButton} button
 */
async function press(message, button) {
  const pressed = { message_id: message.message_id, chat_id: chat?.chat.id, data: button.callback_data };
  await tried(() => hand(`people/${state?.person.id}/presses`, pressed));
}

/** @param {Message} message */
function options(message) {
  /** @type {sheets.Choice[]} */
  const choices = [{ label: "Reply", icon: "reply", act: () => composer.answer(message) }];
  const words = message.text ?? message.caption;
  const isOwn = message.from.id === state?.person.id && !message.forward_origin;
  if (isOwn && words !== undefined) choices.push({ label: "Edit", icon: "pen", act: () => composer.change(message) });
  if (words) choices.push({ label: "Copy", icon: "copy", act: () => copy(words) });
  sheets.choose("Message", choices);
}

/** @param {string} words */
async function copy(words) {
  await tried(() => navigator.clipboard.writeText(words));
  sheets.toast("Copied");
}

/** The newest message that the person may still change. */
export const latestOwn = () => chat?.messages.findLast((one) => one.from.id === state?.person.id && one.text && !one.forward_origin);

/** @param {boolean} isBlocked */
export const block = (isBlocked) => tried(() => hand(`people/${state?.person.id}/blocking`, { is_blocked: isBlocked }));

/** @param {() => Promise<unknown>} act */
async function tried(act) {
  try {
    await act();
  } catch (trouble) {
    sheets.toast(trouble instanceof Error ? trouble.message : String(trouble));
  }
}
