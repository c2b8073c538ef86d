// Where the person writes: words, and whether they answer or change a message.
import { hand, say } from "./api.js";
import * as attachments from "./attachments.js";
import { element, field, get, icon } from "./dom.js";
import { summary } from "./messages.js";
import * as sheets from "./sheets.js";

const hasKeyboard = matchMedia("(hover: hover) and (pointer: fine)");

/** @type {Message | null} */
let answered = null;
/** @type {Message | null} */
let changed = null;
/** @type {{ person: number, chat: number }} */
let place = { person: 0, chat: 0 };

const area = () => field("words");

/**
 * Write into a chat from now on.
 * @param {number} person
 * @param {number} chat
 */
export function enter(person, chat) {
  if (place.person !== person || place.chat !== chat) forget();
  place = { person, chat };
}

/**
 * Answer a message.
 * @param {Message} message
 */
export function answer(message) {
  forget();
  answered = message;
  showContext("Reply to", message);
}

/**
 * Change a message of one's own.
 * @param {Message} message
 */
export function change(message) {
  forget();
  changed = message;
  area().value = message.text ?? message.caption ?? "";
  showContext("Edit", message);
}

/** Whether words are sent, or voice notes. */
const follow = () => {
  const box = area();
  box.style.height = "auto";
  box.style.height = `${box.scrollHeight}px`;
  const hasWords = Boolean(box.value.trim());
  get("send").hidden = !hasWords;
  get("record").hidden = hasWords;
};

/**
 * @param {string} what
 * @param {Message} message
 */
function showContext(what, message) {
  const words = element("span", {}, element("b", {}, what), summary(message));
  const leave = element("button", { type: "button", class: "round", "aria-label": "Not any more", click: forget }, icon("cross"));
  get("context").replaceChildren(words, leave);
  get("context").hidden = false;
  follow();
  area().focus();
}

function forget() {
  if (changed) area().value = "";
  answered = changed = null;
  get("context").hidden = true;
  follow();
}

/** @returns {Record<string, number>} */
const more = () => ({ chat_id: place.chat, ...(answered ? { reply_to: answered.message_id } : {}) });

/** @returns {import("./attachments.js").Target} */
const target = () => ({ person: place.person, more, sent: forget });

/**
 * Send words as they are.
 * @param {string} words
 */
export async function sendWords(words) {
  try {
    await say(place.person, { kind: "text", text: words, ...more() });
    forget();
    return true;
  } catch (trouble) {
    sheets.toast(trouble instanceof Error ? trouble.message : String(trouble));
    return false;
  }
}

async function send() {
  const words = area().value.trim();
  if (!words) return;
  const editing = changed;
  area().value = "";
  follow();
  const isSent = editing ? await edit(editing, words) : await sendWords(words);
  // What was refused can be mended.
  if (!isSent && !area().value) area().value = words;
  follow();
}

/**
 * @param {Message} message
 * @param {string} words
 */
async function edit(message, words) {
  const path = `people/${place.person}/messages/${message.message_id}/edit`;
  try {
    await hand(path, { text: words, chat_id: place.chat });
    changed = null;
    forget();
    return true;
  } catch (trouble) {
    sheets.toast(trouble instanceof Error ? trouble.message : String(trouble));
    return false;
  }
}

/**
 * Make the form work.
 * @param {() => Command[]} commands the bot's menu
 * @param {() => Message | undefined} latestOwn what the arrow upwards changes
 */
export function begin(commands, latestOwn) {
  get("composer").addEventListener("submit", (event) => {
    event.preventDefault();
    send();
  });
  area().addEventListener("input", follow);
  area().addEventListener("keydown", (event) => press(event, latestOwn));
  get("attach").addEventListener("click", () => attachments.offer(target()));
  get("record").addEventListener("click", () => attachments.voice(target()));
  get("commands").addEventListener("click", () => showMenu(commands()));
}

/**
 * @param {KeyboardEvent} event
 * @param {() => Message | undefined} latestOwn
 */
function press(event, latestOwn) {
  if (event.key === "Enter" && !event.shiftKey && !event.isComposing && hasKeyboard.matches) {
    event.preventDefault();
    send();
  }
  if (event.key === "Escape") forget();
  const latest = event.key === "ArrowUp" && !area().value ? latestOwn() : undefined;
  if (latest) change(latest);
}

/** @param {Command[]} commands */
function showMenu(commands) {
  const items = commands.map(({ command, description }) => {
    const act = () => {
      sheets.close();
      sendWords(`/${command}`);
    };
    const words = [element("b", {}, `/${command}`), element("small", {}, description)];
    return element("li", {}, element("button", { type: "button", class: "command-choice", click: act }, ...words));
  });
  sheets.show("Commands", element("ul", { class: "choices" }, ...items));
}
