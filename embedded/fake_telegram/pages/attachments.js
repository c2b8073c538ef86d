// Everything that can be sent but plain words: files, recordings, places, people, moods.
import { say } from "./api.js";
import { element, field } from "./dom.js";
import { record } from "./recorder.js";
import * as sheets from "./sheets.js";

// As messengers do: photos are made smaller before they are sent.
const LONGEST_SIDE = 1280;
const QUALITY = 0.87;
const MOODS = ["👍", "🎉", "❤️", "😂", "🤔", "😴"];

/**
 * Where it goes, and what it answers.
 * @typedef {{ person: number, more: () => Record<string, number>, sent: () => void }} Target
 */

/**
 * Offer all of it.
 * @param {Target} target
 */
export function offer(target) {
  sheets.choose("Send", [
    { label: "Photo", icon: "photo", act: () => pick("image/*", false, (files) => photos(target, files)) },
    { label: "Several photos", icon: "album", act: () => pick("image/*", true, (files) => photos(target, files)) },
    { label: "Document", icon: "file", act: () => pick("", false, (files) => documents(target, files)) },
    { label: "Voice note", icon: "mic", act: () => voice(target) },
    { label: "Sticker", icon: "smile", act: () => stickers(target) },
    { label: "Location", icon: "pin", act: () => location(target) },
    { label: "Contact", icon: "person", act: () => contact(target) },
    { label: "Forwarded message", icon: "forward", act: () => forwarded(target) },
    { label: "Video note", icon: "film", act: () => send(target, { kind: "video_note" }) },
  ]);
}

/**
 * @param {Target} target
 * @param {Record<string, string | number>} values
 * @param {File[]} [files]
 */
async function send(target, values, files) {
  try {
    await sendOrFail(target, values, files);
  } catch (trouble) {
    sheets.toast(trouble instanceof Error ? trouble.message : String(trouble));
  }
}

/**
 * @param {Target} target
 * @param {Record<string, string | number>} values
 * @param {File[]} [files]
 */
async function sendOrFail(target, values, files) {
  await say(target.person, { ...values, ...target.more() }, files);
  target.sent();
}

/**
 * Let files be chosen.
 * @param {string} accept
 * @param {boolean} multiple
 * @param {(files: File[]) => void} act
 */
function pick(accept, multiple, act) {
  const input = field("files");
  input.accept = accept;
  input.multiple = multiple;
  input.value = "";
  input.onchange = () => act([...(input.files ?? [])]);
  input.click();
}

/**
 * @param {Target} target
 * @param {File[]} chosen
 */
async function photos(target, chosen) {
  if (!chosen.length) return;
  const files = await Promise.all(chosen.map(smaller));
  const kind = files.length > 1 ? "album" : "photo";
  const shown = element("div", { class: "previews" }, ...files.map(preview));
  const title = files.length > 1 ? `Send ${files.length} photos` : "Send a photo";
  ask(title, (caption) => sendOrFail(target, { kind, caption }, files), shown);
}

/**
 * @param {Target} target
 * @param {File[]} files
 */
function documents(target, files) {
  if (!files.length) return;
  const name = element("p", { class: "quiet" }, files[0].name);
  ask("Send a document", (caption) => sendOrFail(target, { kind: "document", caption }, files), name);
}

/**
 * @param {string} title
 * @param {(caption: string) => Promise<unknown>} act
 * @param {Node} before
 */
function ask(title, act, before) {
  sheets.fill(title, [{ name: "caption", label: "Caption" }], "Send", ({ caption }) => act(caption), before);
}

/** @param {File} file */
function preview(file) {
  const url = URL.createObjectURL(file);
  const shown = element("img", { src: url, alt: file.name });
  shown.addEventListener("load", () => URL.revokeObjectURL(url));
  return shown;
}

/**
 * Make a photo smaller; what the browser cannot read goes as it is.
 * @param {File} file
 */
async function smaller(file) {
  const picture = await createImageBitmap(file).catch(() => null);
  if (!picture) return file;
  const scale = Math.min(1, LONGEST_SIDE / Math.max(picture.width, picture.height));
  const canvas = element("canvas");
  canvas.width = Math.max(1, Math.round(picture.width * scale));
  canvas.height = Math.max(1, Math.round(picture.height * scale));
  canvas.getContext("2d")?.drawImage(picture, 0, 0, canvas.width, canvas.height);
  /** @type {Blob | null} */
  const made = await new Promise((resolve) => canvas.toBlob(resolve, "image/jpeg", QUALITY));
  return made ? new File([made], "photo.jpg", { type: "image/jpeg" }) : file;
}

/**
 * Record a voice note, or send a sample where nothing can be recorded.
 * @param {Target} target
 */
export function voice(target) {
  /** @type {import("./recorder.js").Recording | null} */
  let recording = null;
  const status = element("p", { class: "quiet", role: "status" }, "Without a recording, a short hum is sent.");
  const button = element("button", { type: "button", class: "plain", click: begin }, "Record");
  const words = { name: "words", label: "What is said", hint: "The demo hears nothing: it reads this.", isNeeded: true };
  sheets.fill("Voice note", [words], "Send", finish, status, button);
  sheets.onClose(() => recording?.cancel());

  async function begin() {
    try {
      recording = await record();
      status.textContent = "Recording…";
      button.disabled = true;
    } catch {
      status.textContent = "There is no microphone here. A short hum is sent instead.";
    }
  }

  /** @param {Record<string, string>} values */
  async function finish(values) {
    const done = recording;
    recording = null;
    const files = done ? [await done.stop()] : [];
    await sendOrFail(target, { kind: "voice", words: values.words }, files);
  }
}

/** @param {Target} target */
function stickers(target) {
  const moods = MOODS.map((mood) => {
    const act = () => {
      sheets.close();
      send(target, { kind: "sticker", emoji: mood });
    };
    return element("button", { type: "button", click: act }, mood);
  });
  sheets.show("Sticker", element("div", { class: "moods" }, ...moods));
}

/** @param {Target} target */
function location(target) {
  const fields = [
    { name: "latitude", label: "Latitude", value: "52.5163", type: "number", isNeeded: true },
    { name: "longitude", label: "Longitude", value: "13.3777", type: "number", isNeeded: true },
  ];
  sheets.fill("Location", fields, "Send", (values) => sendOrFail(target, { kind: "location", ...values }));
}

/** @param {Target} target */
function contact(target) {
  const fields = [
    { name: "first_name", label: "Name", value: "Grace", isNeeded: true },
    { name: "phone_number", label: "Phone number", value: "+15550123", type: "tel", isNeeded: true },
  ];
  sheets.fill("Contact", fields, "Send", (values) => sendOrFail(target, { kind: "contact", ...values }));
}

/** @param {Target} target */
function forwarded(target) {
  const fields = [
    { name: "forwarded_from", label: "From whom", value: "Alan Turing", isNeeded: true },
    { name: "text", label: "What they said", isNeeded: true },
  ];
  sheets.fill("Forwarded message", fields, "Send", (values) => sendOrFail(target, { kind: "text", ...values }));
}
