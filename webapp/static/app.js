// What every page needs: theme, menus, notices, and the small helps of forms.
// Everything works without it; this makes it quicker.
import { all, closest, find, first, get, targetOf } from "./dom.js";

const root = document.documentElement;

function prefersDark() {
  return matchMedia("(prefers-color-scheme: dark)").matches;
}

/** @param {string} theme */
function setTheme(theme) {
  try {
    if (theme === "auto") localStorage.removeItem("theme");
    else localStorage.setItem("theme", theme);
  } catch {
    // Storage may be closed; the page still changes.
  }
  if (theme === "auto") delete root.dataset.theme;
  else root.dataset.theme = theme;
  showTheme();
}

function showTheme() {
  const chosen = root.dataset.theme || "auto";
  const shown = chosen === "auto" ? (prefersDark() ? "dark" : "light") : chosen;
  for (const meta of document.querySelectorAll('meta[name="theme-color"]')) {
    meta.setAttribute("content", shown === "dark" ? "#0d1516" : "#f4f8f6");
  }
  for (const radio of all("[data-theme-choice]")) {
    if (radio instanceof HTMLInputElement) radio.checked = radio.value === chosen;
  }
}

/** @returns {HTMLDetailsElement[]} */
const openMenus = () => [...document.querySelectorAll("details")].filter((one) => one.matches("[data-menu][open]"));

document.addEventListener("click", (event) => {
  const target = targetOf(event);
  if (!target) return;
  if (target.closest("[data-theme-toggle]")) {
    const dark = (root.dataset.theme || (prefersDark() ? "dark" : "light")) === "dark";
    setTheme(dark ? "light" : "dark");
  }
  target.closest("[data-dismiss]")?.closest("[data-notice]")?.remove();
  for (const menu of openMenus()) if (!menu.contains(target)) menu.open = false;
});

document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  for (const menu of openMenus()) {
    menu.open = false;
    first("summary", menu)?.focus();
  }
});

document.addEventListener("change", (event) => {
  const choice = targetOf(event);
  if (choice instanceof HTMLInputElement && choice.matches("[data-theme-choice]")) setTheme(choice.value);
});

// Errors of ours say where they want to be shown; a proxy's page must not replace anything.
document.addEventListener("htmx:beforeSwap", (event) => {
  const { xhr } = event.detail;
  if (xhr.status >= 400 && xhr.getResponseHeader("HX-Retarget")) {
    event.detail.shouldSwap = true;
    event.detail.isError = false;
  } else if (xhr.status >= 500) {
    showOffline();
  }
});
document.addEventListener("htmx:sendError", (event) => {
  // The banner asks by itself every few seconds: its failures are nobody's business.
  if (event.detail.elt.id !== "engine") showOffline();
});

function showOffline() {
  const template = /** @type {HTMLTemplateElement} */ (get("offline-notice"));
  get("notices").replaceChildren(template.content.cloneNode(true));
}

// What worked needs no answer, so it goes by itself; and at once when people go on.
for (const notice of all("#notices > .notice-good")) {
  setTimeout(() => notice.remove(), 6000);
  document.addEventListener("submit", () => notice.remove(), { once: true });
}

showTheme();
root.classList.add("has-script");

// Forms.

/** @param {HTMLElement} area */
function grow(area) {
  area.style.height = "auto";
  area.style.height = `${area.scrollHeight + 2}px`;
}

/** @param {HTMLTextAreaElement} area */
function linesOf(area) {
  return area.value.split("\n").map((line) => line.trim()).filter(Boolean);
}

/** @param {HTMLElement} chip */
const wordsOf = (chip) => (chip.textContent ?? "").trim();

/** @param {HTMLElement} chip */
function toggleLine(chip) {
  const area = find(chip.dataset.addsTo ?? "");
  if (!(area instanceof HTMLTextAreaElement)) return;
  const words = wordsOf(chip);
  const lines = linesOf(area);
  const kept = lines.filter((line) => line !== words);
  area.value = (kept.length < lines.length ? kept : [...lines, words]).join("\n");
  area.dispatchEvent(new Event("input", { bubbles: true }));
}

/** @param {HTMLTextAreaElement} area */
function showChips(area) {
  const lines = linesOf(area);
  for (const chip of all(`[data-adds-to="${area.id}"]`)) {
    chip.setAttribute("aria-pressed", String(lines.includes(wordsOf(chip))));
  }
}

/** @param {HTMLElement} button */
function toggleReveal(button) {
  const field = find(button.dataset.reveal ?? "");
  if (!(field instanceof HTMLInputElement)) return;
  const shown = field.type === "text";
  field.type = shown ? "password" : "text";
  button.setAttribute("aria-pressed", String(!shown));
  field.focus();
}

document.addEventListener("click", (event) => {
  const chip = closest(event, "[data-adds-to]");
  if (chip) toggleLine(chip);
  const reveal = closest(event, "[data-reveal]");
  if (reveal) toggleReveal(reveal);
});

document.addEventListener("input", (event) => {
  const field = targetOf(event);
  if (field instanceof HTMLElement && field.matches("[data-grows]")) grow(field);
  if (field instanceof HTMLTextAreaElement) showChips(field);
});

// A second tap on "Create account" must not send the form again.
document.addEventListener("submit", (event) => {
  const form = targetOf(event);
  if (!(form instanceof HTMLFormElement) || !form.matches("[data-once]")) return;
  if (form.dataset.sent) {
    event.preventDefault();
    return;
  }
  form.dataset.sent = "yes";
  for (const button of all("button[type=submit]", form)) button.setAttribute("aria-busy", "true");
});
// Who logs out leaves nothing behind of what was being written, and nothing on other tabs.
document.addEventListener("submit", (event) => {
  if (!targetOf(event)?.matches("[data-logs-out]")) return;
  try {
    localStorage.setItem("logged-out", String(Date.now()));
    const drafts = Object.keys(localStorage).filter((key) => key.startsWith("draft:"));
    for (const key of drafts) localStorage.removeItem(key);
    indexedDB.deleteDatabase("drafts");
  } catch {
    // Storage may be closed; then nothing was kept.
  }
});
const loadedAt = Date.now();
function wasLoggedOut() {
  try {
    return Number(localStorage.getItem("logged-out")) >= loadedAt;
  } catch {
    return false;
  }
}
// A page that the browser kept for its back button was told of nothing meanwhile.
addEventListener("pageshow", (event) => {
  if (!event.persisted || !wasLoggedOut()) return;
  root.hidden = true;
  location.reload();
});
addEventListener("storage", (event) => {
  if (event.key !== "logged-out" || !event.newValue) return;
  root.hidden = true;
  // By then the server has ended the login; the page that was here leads to the login page.
  setTimeout(() => location.reload(), 1000);
});
// Coming back with the back button, the form may be sent again.
addEventListener("pageshow", () => {
  for (const form of all("form[data-sent]")) {
    delete form.dataset.sent;
    for (const button of all("[aria-busy]", form)) button.removeAttribute("aria-busy");
  }
});

/**
 * A button that may be pressed again after so many seconds says how long that is.
 * @param {Element} button
 */
function countDown(button) {
  if (!(button instanceof HTMLButtonElement)) return;
  const words = button.textContent;
  const end = Date.now() + 1000 * Number(button.dataset.countsDown);
  const tick = () => {
    const left = Math.ceil((end - Date.now()) / 1000);
    if (!button.isConnected) return;
    if (left > 0) {
      button.textContent = `${words} (${left > 99 ? `${Math.ceil(left / 60)} min` : `${left} s`})`;
      setTimeout(tick, 1000);
      return;
    }
    button.textContent = words;
    button.disabled = false;
    button.classList.replace("quiet", "link");
  };
  tick();
}

document.addEventListener("htmx:load", (event) => {
  targetOf(event)?.querySelectorAll("[data-counts-down]").forEach(countDown);
});

for (const area of all("textarea[data-grows]")) {
  grow(area);
  if (area instanceof HTMLTextAreaElement) showChips(area);
}
