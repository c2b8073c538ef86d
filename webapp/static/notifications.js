// Notifications in this browser: what can be done about them here, once somebody wants to. The
// browser asks for leave when the button is pressed, and at no other time.
import { all, find, first } from "./dom.js";

const WORKER = "/service-worker.js";
const section = find("devices");

/** @param {"off" | "on" | "asking" | "denied" | "failed" | "unsupported"} state */
function show(state) {
  for (const one of all("[data-push]", section ?? document)) one.hidden = one.dataset.push !== state;
}

const isSupported = () =>
  "serviceWorker" in navigator && "PushManager" in window && "Notification" in window;

async function subscription() {
  const registration = await navigator.serviceWorker.getRegistration("/");
  return registration?.pushManager.getSubscription();
}

async function showState() {
  if (!isSupported()) show("unsupported");
  else if (Notification.permission === "denied") show("denied");
  else if (section?.dataset.isOn && (await subscription())) show("on");
  else show("off");
}

/** @param {string} text base64url */
function bytes(text) {
  const letters = atob(text.replaceAll("-", "+").replaceAll("_", "/"));
  return Uint8Array.from(letters, (letter) => letter.charCodeAt(0));
}

async function subscribe() {
  await navigator.serviceWorker.register(WORKER, { scope: "/" });
  const registration = await navigator.serviceWorker.ready;
  // What was subscribed for another login, or with another key of the site, is of no use here.
  await (await registration.pushManager.getSubscription())?.unsubscribe();
  return registration.pushManager.subscribe({
    userVisibleOnly: true,
    applicationServerKey: bytes(section?.dataset.publicKey ?? ""),
  });
}

/** @param {PushSubscription} subscribed */
function send(subscribed) {
  const form = first("[data-push-form]", section);
  if (!(form instanceof HTMLFormElement)) return;
  const { endpoint = "", keys = {} } = subscribed.toJSON();
  for (const [name, value] of Object.entries({ endpoint, p256dh: keys.p256dh, auth: keys.auth })) {
    const field = form.elements.namedItem(name);
    if (field instanceof HTMLInputElement) field.value = value ?? "";
  }
  form.submit();
}

async function enable() {
  show("asking");
  if ((await Notification.requestPermission()) !== "granted") {
    await showState();
    return;
  }
  try {
    send(await subscribe());
  } catch {
    show("failed");
  }
}

/** @param {HTMLFormElement} form */
async function disable(form) {
  try {
    await (await subscription())?.unsubscribe();
  } finally {
    form.submit();
  }
}

for (const button of all("[data-push-enable]", section ?? document)) {
  button.addEventListener("click", enable);
}
const disabler = first("[data-push-disable]", section);
if (disabler instanceof HTMLFormElement) {
  disabler.addEventListener("submit", (event) => {
    event.preventDefault();
    disable(disabler);
  });
}
if (section) showState();
