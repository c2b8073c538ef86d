// The form in which a message is written: it grows, keeps what was typed, and shows the files.
import { closest, find, get, input, targetOf } from "./dom.js";
import * as drafts from "./drafts.js";

// How close an Enter is to the end of the composition that it ended.
const COMPOSED_MS = 60;
const hasKeyboard = matchMedia("(hover: hover) and (pointer: fine)");
// htmx would copy our textarea's height as an attribute, which the page's policy forbids.
htmx.config.attributesToSettle = ["class"];

// What was typed outlives a reload, a login that has ended, and a sending that failed.

const area = () => /** @type {HTMLTextAreaElement} */ (get("text"));

const keep = () => drafts.keep(area().value);

async function restore() {
  area().value ||= drafts.read();
  grow();
  const files = await drafts.readFiles();
  if (files.length && !chosen.length) setFiles(files);
  if (isEmpty()) forgetKey();
}

const isEmpty = () => !area().value.trim() && !chosen.length;

function grow() {
  const { style } = area();
  style.height = "auto";
  style.height = `${area().scrollHeight}px`;
}

/** @param {string} text */
function setText(text) {
  area().value = text;
  grow();
  keep();
}

/**
 * Put words where the cursor is, apart from what stands around it.
 * @param {string} words
 */
export function insert(words) {
  const { value, selectionStart, selectionEnd } = area();
  const before = value.slice(0, selectionStart);
  const after = value.slice(selectionEnd);
  const added = `${/\S$/.test(before) ? " " : ""}${words}${/^\S/.test(after) ? " " : ""}`;
  setText(before + added + after);
  const end = before.length + added.length;
  area().setSelectionRange(end, end);
  // On a phone the keyboard would cover what is to be read.
  if (hasKeyboard.matches) area().focus();
}

// Files: an input holds them, so that the form sends them; the list shows them.

/** @param {File[]} files */
function setFiles(files) {
  const carrier = new DataTransfer();
  for (const file of files) carrier.items.add(file);
  input("files").files = carrier.files;
  chosen = [...files];
  drafts.keepFiles(chosen);
  showFiles();
}

/** @type {File[]} */
let chosen = [];

/** @param {File[]} files */
function addFiles(files) {
  const { dataset } = get("composer");
  const [maxFiles, maxBytes] = [Number(dataset.maxFiles), Number(dataset.maxBytes)];
  const tooBig = files.find((file) => file.size > maxBytes);
  if (tooBig) {
    refuse(`“${tooBig.name}” is larger than ${Math.floor(maxBytes / 1024 ** 2)} MB. Send a smaller one.`);
  }
  const fitting = [...chosen, ...files.filter((file) => file !== tooBig && file.size <= maxBytes)];
  if (fitting.length > maxFiles) refuse(`Please send at most ${maxFiles} files at once.`);
  setFiles(fitting.slice(0, maxFiles));
}

/**
 * @param {string} words
 * @param {{ role: string, className: string }} look
 */
function tell(words, { role, className }) {
  const notice = document.createElement("p");
  notice.className = className;
  notice.setAttribute("role", role);
  notice.textContent = words;
  get("composer-notice").replaceChildren(notice);
}

/** @param {string} words */
export const refuse = (words) => tell(words, { role: "alert", className: "notice" });

/**
 * Say what went wrong, and offer what can be done.
 * @param {string} words
 * @param {{ words: string, act: () => void }[]} choices
 */
export function offer(words, choices) {
  tell(words, { role: "alert", className: "notice notice-choices" });
  const row = document.createElement("span");
  const buttons = choices.map((choice) => {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "btn btn-sm";
    button.textContent = choice.words;
    button.addEventListener("click", () => {
      get("composer-notice").replaceChildren();
      choice.act();
    });
    return button;
  });
  row.append(...buttons);
  get("composer-notice").firstElementChild?.append(row);
  // Whoever works by keys stood where there is nothing any more.
  if (document.activeElement === document.body) buttons[0]?.focus();
}

function showFiles() {
  const list = get("chosen-files");
  for (const image of list.querySelectorAll("img")) URL.revokeObjectURL(image.src);
  list.replaceChildren(...chosen.map(showFile));
  list.hidden = !chosen.length;
}

/**
 * @param {File} file
 * @param {number} index
 */
function showFile(file, index) {
  const item = document.createElement("li");
  item.className = "chosen-file";
  if (/^image\/(png|jpeg|gif|webp)$/.test(file.type)) {
    const image = document.createElement("img");
    image.src = URL.createObjectURL(file);
    image.alt = "";
    item.append(image);
  }
  const name = document.createElement("span");
  name.textContent = file.name;
  const remove = document.createElement("button");
  remove.type = "button";
  remove.dataset.removes = String(index);
  remove.setAttribute("aria-label", `Remove ${file.name}`);
  remove.textContent = "×";
  item.append(name, remove);
  return item;
}

document.addEventListener("input", (event) => {
  if (targetOf(event)?.id !== "text") return;
  grow();
  keep();
  if (isEmpty()) forgetKey();
});

document.addEventListener("change", (event) => {
  if (targetOf(event)?.id === "files") addFiles([...(input("files").files ?? [])]);
});

document.addEventListener("click", (event) => {
  const remover = closest(event, "[data-removes]");
  if (remover) {
    setFiles(chosen.filter((_, index) => index !== Number(remover.dataset.removes)));
    area().focus();
  }
  const filler = closest(event, "[data-fills]");
  if (filler) {
    setText((filler.textContent ?? "").trim());
    area().focus();
  }
  // Anywhere in the box is the field.
  if (targetOf(event)?.matches(".composer-box, .composer-tools")) area().focus();
});

// On a keyboard Enter sends; on a phone it makes a new line, and the button sends. The Enter that
// chooses among what an input method offers does neither: Safari tells of it when the composition
// is over already, some by the key code 229 and some only by coming at the same moment.
let composedAt = -Infinity;
document.addEventListener("compositionend", (event) => {
  composedAt = event.timeStamp;
});
document.addEventListener("keydown", (event) => {
  if (targetOf(event)?.id !== "text" || event.key !== "Enter" || event.shiftKey) return;
  if (event.isComposing || event.keyCode === 229 || !hasKeyboard.matches) return;
  event.preventDefault();
  if (event.timeStamp - composedAt < COMPOSED_MS) return;
  const form = /** @type {HTMLFormElement} */ (get("composer"));
  if (!form.querySelector(".composer-send:disabled")) form.requestSubmit();
});

// Spreadsheets and word processors add a picture of what was copied: the words count. A file
// that was copied comes with nothing but its name.
/**
 * @param {string} text
 * @param {File[]} files
 */
function isText(text, files) {
  const names = files.map((file) => file.name);
  const isNames = text.split("\n").every((line) => names.includes(line.trim().split(/[\\/]/).pop() ?? ""));
  return text.trim() && !isNames && files.every((file) => file.type.startsWith("image/"));
}

/** @param {string} text */
function attach(text) {
  // A text file with these would be taken for something else.
  // eslint-disable-next-line no-control-regex
  const clean = text.replace(/[\x00-\x08\x0e-\x1a\x1c-\x1f]/g, "");
  const taken = chosen.filter((file) => file.name.startsWith("Pasted text")).length;
  const file = new File([clean], `Pasted text${taken ? ` ${taken + 1}` : ""}.txt`, { type: "text/plain" });
  tell(`Your text is long, so it was attached as “${file.name}”.`, {
    role: "status",
    className: "notice notice-plain",
  });
  addFiles([file]);
}

document.addEventListener("paste", (event) => {
  if (targetOf(event)?.id !== "text") return;
  const { value, selectionStart, selectionEnd } = area();
  const files = [...(event.clipboardData?.files || [])];
  const text = event.clipboardData?.getData("text/plain") || "";
  const stays = value.length - (selectionEnd - selectionStart);
  if (files.length && !isText(text, files)) {
    event.preventDefault();
    addFiles(files);
  } else if (stays + text.length > Number(get("composer").dataset.maxChars)) {
    event.preventDefault();
    attach(text);
  }
});

addEventListener("storage", (event) => {
  const told = find("composer") && drafts.readSent(event);
  if (!told || told.text !== area().value) return;
  setText("");
  setFiles(chosen.filter((file) => !told.files.includes(drafts.nameOf(file))));
});

/** @param {DragEvent} event */
function drag(event) {
  const here = closest(event, "#conversation");
  if (!here || !event.dataTransfer?.types.includes("Files")) return;
  event.preventDefault();
  here.toggleAttribute("data-dropping", event.type === "dragover");
  if (event.type === "drop") addFiles([...event.dataTransfer.files]);
}

document.addEventListener("dragover", drag);
document.addEventListener("dragleave", drag);
document.addEventListener("drop", drag);

// Sending. What is typed while it is under way stays, and what is sent again is said once: the
// key stays until an answer says that the message came.

function newKey() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

const renewKey = () => (input("sent-key").value = newKey());

function forgetKey() {
  drafts.forgetKey();
  renewKey();
}

/**
 * Each is for one message.
 * @returns {HTMLInputElement[]}
 */
const switches = () => ["research", "thinks-longer"].map(find).filter((one) => one instanceof HTMLInputElement);

const switchedOn = () => switches().filter((one) => one.checked).map((one) => one.id);

/** @param {string[]} ids */
function switchOn(ids) {
  for (const one of switches()) one.checked = ids.includes(one.id);
}

/** @typedef {{ text: string, files: File[], switches: string[] }} Written */

/** @returns {Written} */
const written = () => ({ text: area().value, files: chosen, switches: switchedOn() });

/** @param {Written} what */
function write(what) {
  setText(what.text);
  setFiles(what.files);
  switchOn(what.switches);
}

/** @type {Written} */
const NOTHING = { text: "", files: [], switches: [] };
let sent = NOTHING;
// What was written since, for the form that takes the place of the one in which it was.
let rest = NOTHING;

/** @returns {Written} */
function writtenSince() {
  const { text, files, switches: on } = written();
  return {
    text: text.startsWith(sent.text) ? text.slice(sent.text.length) : text,
    files: files.filter((file) => !sent.files.includes(file)),
    switches: on.filter((one) => !sent.switches.includes(one)),
  };
}

document.addEventListener("htmx:confirm", (event) => {
  if (event.detail.elt.id !== "composer") return;
  if (isEmpty()) {
    event.preventDefault();
    area().focus();
  }
});

document.addEventListener("htmx:beforeRequest", (event) => {
  if (event.detail.elt.id !== "composer") return;
  sent = written();
  drafts.keepKey(sent.text, input("sent-key").value);
  get("composer").setAttribute("aria-busy", "true");
  get("composer-notice").replaceChildren();
});

document.addEventListener("htmx:beforeSwap", (event) => {
  const { requestConfig, xhr } = event.detail;
  if (requestConfig.elt.id !== "composer" || xhr.status !== 200) return;
  rest = writtenSince();
  drafts.tellSent(sent.text, sent.files);
  // What begins a conversation leaves no draft for the next new one: the rest goes along.
  write(requestConfig.elt.matches("[data-draws]") ? rest : NOTHING);
  forgetKey();
});

document.addEventListener("htmx:afterRequest", (event) => {
  if (event.detail.requestConfig?.elt.id === "composer") get("composer").removeAttribute("aria-busy");
});

document.addEventListener("htmx:load", (event) => {
  if (event.detail.elt.id !== "conversation") return;
  chosen = [];
  renewKey();
  write(rest);
  rest = NOTHING;
  if (hasKeyboard.matches) area().focus();
});

if (find("composer")) {
  restore();
  input("sent-key").value = drafts.readKey(area().value) ?? newKey();
  if (hasKeyboard.matches) area().focus({ preventScroll: true });
}
