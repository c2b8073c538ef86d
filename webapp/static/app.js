// What every page needs: theme, menus, notices, and the small helps of forms.
// Everything works without it; this makes it quicker.

const root = document.documentElement;

function prefersDark() {
  return matchMedia("(prefers-color-scheme: dark)").matches;
}

function setTheme(theme) {
  try {
    if (theme === "auto") localStorage.removeItem("theme");
    else localStorage.setItem("theme", theme);
  } catch (_) {
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
    meta.content = shown === "dark" ? "#0d1516" : "#f4f8f6";
  }
  for (const radio of document.querySelectorAll("[data-theme-choice]")) {
    radio.checked = radio.value === chosen;
  }
}

function dismiss(notice) {
  notice.remove();
}

document.addEventListener("click", (event) => {
  const target = event.target instanceof Element ? event.target : null;
  if (!target) return;
  if (target.closest("[data-theme-toggle]")) {
    const dark = (root.dataset.theme || (prefersDark() ? "dark" : "light")) === "dark";
    setTheme(dark ? "light" : "dark");
  }
  const dismisser = target.closest("[data-dismiss]");
  if (dismisser) dismiss(dismisser.closest("[data-notice]"));
  for (const menu of document.querySelectorAll("details[data-menu][open]")) {
    if (!menu.contains(target)) menu.open = false;
  }
});

document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  for (const menu of document.querySelectorAll("details[data-menu][open]")) {
    menu.open = false;
    menu.querySelector("summary")?.focus();
  }
});

document.addEventListener("change", (event) => {
  if (event.target.matches?.("[data-theme-choice]")) setTheme(event.target.value);
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
document.addEventListener("htmx:sendError", showOffline);

function showOffline(event) {
  // The banner asks by itself every few seconds: its failures are nobody's business.
  if (event?.detail?.elt?.id === "engine") return;
  const template = document.getElementById("offline-notice");
  document.getElementById("notices").replaceChildren(template.content.cloneNode(true));
}

// What worked needs no answer, so it goes by itself; and at once when people go on.
for (const notice of document.querySelectorAll("#notices > .notice-good")) {
  setTimeout(() => dismiss(notice), 6000);
  document.addEventListener("submit", () => dismiss(notice), { once: true });
}

showTheme();
root.classList.add("has-script");

// Forms.

function grow(area) {
  area.style.height = "auto";
  area.style.height = `${area.scrollHeight + 2}px`;
}

function linesOf(area) {
  return area.value.split("\n").map((line) => line.trim()).filter(Boolean);
}

function toggleLine(chip) {
  const area = document.getElementById(chip.dataset.addsTo);
  const words = chip.textContent.trim();
  const lines = linesOf(area);
  const kept = lines.filter((line) => line !== words);
  area.value = (kept.length < lines.length ? kept : [...lines, words]).join("\n");
  area.dispatchEvent(new Event("input", { bubbles: true }));
}

function showChips(area) {
  const lines = linesOf(area);
  for (const chip of document.querySelectorAll(`[data-adds-to="${area.id}"]`)) {
    chip.setAttribute("aria-pressed", String(lines.includes(chip.textContent.trim())));
  }
}

document.addEventListener("click", (event) => {
  const chip = event.target.closest?.("[data-adds-to]");
  if (chip) toggleLine(chip);
  const reveal = event.target.closest?.("[data-reveal]");
  if (reveal) {
    const field = document.getElementById(reveal.dataset.reveal);
    const shown = field.type === "text";
    field.type = shown ? "password" : "text";
    reveal.setAttribute("aria-pressed", String(!shown));
    field.focus();
  }
});

document.addEventListener("input", (event) => {
  if (event.target.matches?.("[data-grows]")) grow(event.target);
  if (event.target.tagName === "TEXTAREA") showChips(event.target);
});

// A second tap on "Create account" must not send the form again.
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (!form.matches("[data-once]")) return;
  if (form.dataset.sent) {
    event.preventDefault();
    return;
  }
  form.dataset.sent = "yes";
  for (const button of form.querySelectorAll("button[type=submit]")) {
    button.setAttribute("aria-busy", "true");
  }
});
// Who logs out leaves nothing behind of what was being written, and nothing on other tabs.
document.addEventListener("submit", (event) => {
  if (!event.target.matches("[data-logs-out]")) return;
  try {
    localStorage.setItem("logged-out", String(Date.now()));
    const drafts = Object.keys(localStorage).filter((key) => key.startsWith("draft:"));
    for (const key of drafts) localStorage.removeItem(key);
    indexedDB.deleteDatabase("drafts");
  } catch (_) {
    // Storage may be closed; then nothing was kept.
  }
});
addEventListener("storage", (event) => {
  if (event.key !== "logged-out" || !event.newValue) return;
  document.documentElement.hidden = true;
  // By then the server has ended the login; the page that was here leads to the login page.
  setTimeout(() => location.reload(), 1000);
});
// Coming back with the back button, the form may be sent again.
addEventListener("pageshow", () => {
  for (const form of document.querySelectorAll("form[data-sent]")) {
    delete form.dataset.sent;
    form.querySelectorAll("[aria-busy]").forEach((button) => button.removeAttribute("aria-busy"));
  }
});

// A button that may be pressed again after so many seconds says how long that is.
function countDown(button) {
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
  event.target.querySelectorAll("[data-counts-down]").forEach(countDown);
});

for (const area of document.querySelectorAll("textarea[data-grows]")) {
  grow(area);
  showChips(area);
}
