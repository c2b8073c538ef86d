// A message as its person sees it.
import { fileAddress } from "./api.js";
import { clock, element, icon, size } from "./dom.js";
import { formatted, safe } from "./entities.js";

/**
 * What the person can do with a message.
 * @typedef {{
 *   press: (message: Message, button: KeyboardButton) => void,
 *   options: (message: Message) => void,
 *   command: (words: string) => void,
 * }} Acts
 */

/** @param {Message} message */
export const isService = (message) => Boolean(message.new_chat_members);

/**
 * Draw a message.
 * @param {Message} message
 * @param {number} person whose phone this is
 * @param {Acts} acts
 */
export function bubble(message, person, acts) {
  const isMine = message.from.id === person;
  const inside = element("div", { class: "bubble", "aria-live": "off" }, origin(message), quoted(message), ...body(message, acts), below(message, acts), foot(message));
  const options = { type: "button", class: "options", "aria-label": "What to do with this message", click: () => acts.options(message) };
  const who = element("span", { class: "sr-only" }, isMine ? "You: " : `${message.from.first_name}: `);
  const line = element("div", { class: "line" }, who, inside, element("button", options, icon("dots")));
  return element("li", { class: isMine ? "mine" : "theirs", id: `message-${message.message_id}`, "data-group": message.media_group_id ?? "" }, line, keyboard(message, acts));
}

/** @param {Message} message */
export function service(message) {
  const names = (message.new_chat_members ?? []).map((one) => one.first_name).join(", ");
  return element("li", { class: "service", id: `message-${message.message_id}` }, `${message.from.first_name} added ${names}`);
}

/**
 * What the bot is about to say.
 * @param {Draft} draft
 */
export function draftBubble(draft) {
  const words = draft.text ? formatted(draft.text, draft.entities) : element("em", { class: "thinking" }, "Thinking…");
  const inside = element("div", { class: "bubble draft" }, element("div", { class: "words" }, words));
  return element("li", { class: "theirs", id: "draft" }, element("div", { class: "line" }, inside));
}

/**
 * In a few words, for the list of chats and for replies.
 * @param {Message} message
 */
export function summary(message) {
  const words = message.text ?? message.caption;
  if (words) return words;
  if (message.sticker) return `${message.sticker.emoji} Sticker`;
  if (message.document) return message.document.file_name ?? "File";
  const kinds = { photo: "Photo", voice: "Voice note", audio: "Audio", video: "Video", video_note: "Video note", location: "Location", contact: "Contact" };
  const kind = Object.entries(kinds).find(([name]) => name in message);
  return kind ? kind[1] : "Joined";
}

/** @param {Message} message */
function origin(message) {
  const name = message.forward_origin?.sender_user_name;
  return name ? element("p", { class: "origin" }, icon("forward"), `Forwarded from ${name}`) : null;
}

/** @param {Message} message */
function quoted(message) {
  const original = message.reply_to_message;
  if (!original) return null;
  const to = `#message-${original.message_id}`;
  const words = element("span", {}, summary(original));
  const link = element("a", { class: "quoted", href: to }, element("b", {}, original.from.first_name), words);
  link.addEventListener("click", (event) => {
    event.preventDefault();
    document.querySelector(to)?.scrollIntoView({ block: "center" });
  });
  return link;
}

/**
 * @param {Message} message
 * @param {Acts} acts
 * @returns {(Node | null)[]}
 */
function body(message, acts) {
  if (message.text) return [element("div", { class: "words" }, formatted(message.text, message.entities ?? [], acts.command))];
  return [photo(message), file(message), sound(message), film(message), place(message), contact(message), sticker(message)];
}

/** @param {Message} message */
function photo(message) {
  const largest = message.photo?.at(-1);
  if (!largest) return null;
  const address = fileAddress(largest);
  const look = { src: address, alt: message.caption ?? "Photo", width: String(largest.width), height: String(largest.height) };
  return element("a", { class: "photo", href: address, target: "_blank", rel: "noopener" }, element("img", look));
}

/** @param {Message} message */
function file({ document: sent }) {
  if (!sent) return null;
  const name = element("span", {}, element("b", {}, sent.file_name ?? "File"), element("small", {}, size(sent.file_size)));
  return element("a", { class: "file", href: fileAddress(sent), download: sent.file_name ?? "file" }, icon("file"), name);
}

/** @param {Message} message */
function sound(message) {
  const sent = message.voice ?? message.audio;
  if (!sent) return null;
  const name = message.voice ? "Voice note" : (sent.file_name ?? "Audio");
  return element("figure", { class: "sound" }, element("audio", { controls: true, preload: "none", src: fileAddress(sent), "aria-label": name }), element("figcaption", {}, `${name}, ${sent.duration ?? 0} s`));
}

/** @param {Message} message */
function film(message) {
  const sent = message.video_note ?? message.video;
  if (!sent) return null;
  const isRound = Boolean(message.video_note);
  return element("div", { class: isRound ? "film round-film" : "film" }, icon("film"), isRound ? "Video note" : (sent.file_name ?? "Video"));
}

/** @param {Message} message */
function place({ location: where }) {
  if (!where) return null;
  return element("div", { class: "card" }, icon("pin"), element("span", {}, element("b", {}, "Location"), element("small", {}, `${where.latitude}, ${where.longitude}`)));
}

/** @param {Message} message */
function contact({ contact: who }) {
  if (!who) return null;
  return element("div", { class: "card" }, icon("person"), element("span", {}, element("b", {}, who.first_name), element("small", {}, who.phone_number)));
}

/** @param {Message} message */
const sticker = ({ sticker: mood }) => (mood ? element("span", { class: "sticker" }, mood.emoji) : null);

/**
 * @param {Message} message
 * @param {Acts} acts
 */
function below(message, acts) {
  if (!message.caption) return null;
  return element("div", { class: "words" }, formatted(message.caption, message.caption_entities ?? [], acts.command));
}

/** @param {Message} message */
function foot(message) {
  const edited = message.edit_date && message.from.is_bot === false ? "edited " : "";
  return element("p", { class: "foot" }, edited, element("time", { datetime: new Date(message.date * 1000).toISOString() }, clock(message.date)));
}

/**
 * @param {Message} message
 * @param {Acts} acts
 */
function keyboard(message, acts) {
  const rows = message.reply_markup?.inline_keyboard;
  if (!rows) return null;
  const drawn = rows.map((row) => element("div", { class: "row" }, ...row.map((one) => button(message, one, acts))));
  return element("div", { class: "keyboard", role: "group", "aria-label": "Buttons" }, ...drawn);
}

/**
 * @param {Message} message
 * @param {KeyboardButton} one
 * @param {Acts} acts
 */
function button(message, one, acts) {
  const href = one.url ? safe(one.url) : "";
  if (href) return element("a", { href, target: "_blank", rel: "noopener noreferrer" }, one.text, icon("out"));
  return element("button", { type: "button", disabled: Boolean(one.url), click: () => acts.press(message, one) }, one.text);
}
