// The phone: who holds it, their chats, and the one that is open.
//
// #people, #chats and #chat/<id> are its screens. The address of the bot, as links to it have it,
// opens its chat; ?start= is what it is to be told when the person presses Start.
import { address, ask, follow, hand } from "./api.js";
import * as chat from "./chat.js";
import * as composer from "./composer.js";
import { avatar, clock, element, field, get } from "./dom.js";
import { summary } from "./messages.js";
import * as sheets from "./sheets.js";

const KEPT = "phone-person";

/** @type {State | null} */
let state = null;
// A group that was just made: its answer may be here before the event that tells of it.
let awaited = 0;
let code = new URLSearchParams(location.search).get("start") ?? "";
const isLink = location.pathname.split("/").length > 2 && location.pathname.split("/")[2] !== "";

/** Storage may be closed; then the person is asked for again after a reload. */
function remembered() {
  try {
    return Number(sessionStorage.getItem(KEPT) ?? localStorage.getItem(KEPT));
  } catch {
    return 0;
  }
}

/** @param {number} person */
function remember(person) {
  try {
    sessionStorage.setItem(KEPT, String(person));
    localStorage.setItem(KEPT, String(person));
  } catch {
    // Asked for again, then.
  }
}

/** @param {"people" | "chats" | "chat"} name */
function screen(name) {
  for (const one of ["people", "chats", "chat"]) get(one).hidden = one !== name;
}

/** @param {string} place */
function go(place) {
  if (location.hash === place) route();
  else location.hash = place;
}

async function route() {
  const [place, id] = location.hash.slice(1).split("/");
  if (place === "people" || !state) return showPeople();
  if (place === "chat") return openChat(Number(id));
  if (!place && isLink) return openChat(state.person.id);
  showChats();
}

async function showPeople() {
  screen("people");
  /** @type {Person[]} */
  const people = await ask("people");
  get("known").replaceChildren(...people.map((one) => element("li", {}, personButton(one))));
}

/** @param {Person} person */
const fullName = (person) => [person.first_name, person.last_name].filter(Boolean).join(" ");

/** @param {Person} person */
function personButton(person) {
  const look = { type: "button", class: "entry", click: () => be(person.id) };
  return element("button", look, avatar(person.first_name, person.id), element("span", {}, element("b", {}, fullName(person))));
}

/** @param {number} person */
function be(person) {
  remember(person);
  state = null;
  if (location.hash === "#people") history.replaceState(null, "", isLink && code ? location.pathname + location.search : "#chats");
  follow(person, act);
}

/** @param {Happening} happening */
function act(happening) {
  if (happening.kind === "state") return begin(happening);
  if (happening.kind === "answer") return chat.hear(happening);
  const id = happening.kind === "message" ? happening.message.chat.id : happening.chat_id;
  note(id, happening);
  if (get("chat").hidden || get("chat").dataset.id !== String(id)) return showChatsIfOpen();
  if (happening.kind === "message") chat.put(happening.message);
  if (happening.kind === "deleted") chat.remove(happening.message_id);
  if (happening.kind === "typing") chat.showTyping(happening.seconds);
  if (happening.kind === "draft") chat.draft(happening);
}

/** @param {State} now */
function begin(now) {
  state = now;
  chat.know(now);
  route();
}

/**
 * Keep what happens in a chat that is not open.
 * @param {number} id
 * @param {Happening} happening
 */
function note(id, happening) {
  const of = state?.chats.find((one) => one.chat.id === id);
  if (!of || get("chat").dataset.id === String(id)) return;
  if (happening.kind === "message") {
    of.messages = [...of.messages.filter((one) => one.message_id !== happening.message.message_id), happening.message];
    of.messages.sort((a, b) => a.message_id - b.message_id);
  }
  if (happening.kind === "deleted") of.messages = of.messages.filter((one) => one.message_id !== happening.message_id);
}

function showChatsIfOpen() {
  if (!get("chats").hidden) showChats();
}

function showChats() {
  if (!state) return;
  screen("chats");
  delete get("chat").dataset.id;
  get("me").replaceChildren(avatar(state.person.first_name, state.person.id), element("span", {}, fullName(state.person)));
  get("chat-list").replaceChildren(...state.chats.map((one) => element("li", {}, entry(one))));
}

/** @param {Chat} one */
function entry(one) {
  const last = one.messages.at(-1);
  const words = last ? summary(last) : "Say hello";
  const top = element("span", { class: "top" }, element("b", {}, chat.nameOf(one)), last ? element("time", {}, clock(last.date)) : null);
  const look = { type: "button", class: "entry", click: () => go(`#chat/${one.chat.id}`) };
  return element("button", look, avatar(chat.nameOf(one), one.chat.id), element("span", {}, top, element("small", {}, words)));
}

/** @param {number} id */
function openChat(id) {
  const shown = state?.chats.find((one) => one.chat.id === id);
  if (!shown) return id === awaited ? undefined : go("#chats");
  screen("chat");
  get("chat").dataset.id = String(id);
  chat.open(shown, id === state?.person.id ? code : "");
}

async function start() {
  if (await composer.sendWords(code ? `/start ${code}` : "/start")) started();
}

// The chat is open, and what the link told the bot is told.
function started() {
  code = "";
  if (location.search) history.replaceState(null, "", location.pathname + location.hash);
  const shown = state?.chats.find((one) => one.chat.id === state?.person.id);
  if (shown) shown.is_open = true;
  route();
}

function showMenu() {
  const shown = state?.chats.find((one) => String(one.chat.id) === get("chat").dataset.id);
  const isBlocked = Boolean(shown?.is_blocked);
  /** @type {sheets.Choice} */
  const blocking = isBlocked
    ? { label: "Unblock", icon: "block", act: () => void chat.block(false) }
    : { label: "Block the bot", icon: "block", act: () => void chat.block(true), isGrave: true };
  sheets.choose("Chat", [
    ...(shown?.chat.type === "private" ? [blocking] : []),
    { label: "Be somebody else", icon: "person", act: () => go("#people") },
    { label: "Let things go wrong", icon: "bolt", act: () => void window.open(address("controls"), "_blank", "noopener") },
  ]);
}

function makeGroup() {
  sheets.fill("New group with the bot", [{ name: "title", label: "Name", value: "Friends", isNeeded: true }], "Make it", async ({ title }) => {
    const made = await hand(`people/${state?.person.id}/groups`, { title });
    awaited = made.chat.id;
    go(`#chat/${awaited}`);
  });
}

get("join").addEventListener("submit", async (event) => {
  event.preventDefault();
  try {
    const made = await hand("people", { name: field("name").value, language: navigator.language.split("-")[0] });
    field("name").value = "";
    be(made.id);
  } catch (trouble) {
    sheets.toast(trouble instanceof Error ? trouble.message : String(trouble));
  }
});
get("me").addEventListener("click", () => go("#people"));
get("group").addEventListener("click", makeGroup);
get("back").addEventListener("click", () => go("#chats"));
get("menu").addEventListener("click", showMenu);
get("start-button").addEventListener("click", start);
get("unblock-button").addEventListener("click", () => chat.block(false));
for (const link of document.querySelectorAll("a.controls")) link.setAttribute("href", address("controls"));
composer.begin(() => state?.bot.commands ?? [], chat.latestOwn);
window.addEventListener("hashchange", route);
if (remembered()) {
  // They may be gone: then whoever comes is asked who they are.
  ask(`people/${remembered()}`).then(() => be(remembered()), showPeople);
} else showPeople();
