// The list of conversations: the menu of a row, which all rows share. Without it their buttons lead
// to a page that does the same.
import { all, closest, find, first, get, input, targetOf } from "./dom.js";

const GAP_PX = 4;
const EDGE_PX = 8;

// What a row's button belongs to, while its menu is open.
/** @type {HTMLElement | null} */
let row = null;

/**
 * Below the button, or above it where there is no room; never beyond the edge of the screen.
 * @param {HTMLElement} menu
 * @param {Element} button
 */
function place(menu, button) {
  const at = button.getBoundingClientRect();
  const { offsetWidth: width, offsetHeight: height } = menu;
  const below = at.bottom + GAP_PX;
  const fits = below + height <= innerHeight - EDGE_PX;
  const top = fits ? below : Math.max(at.top - GAP_PX - height, EDGE_PX);
  const left = Math.min(at.right - width, innerWidth - width - EDGE_PX);
  menu.style.top = `${Math.min(top, Math.max(innerHeight - height - EDGE_PX, EDGE_PX))}px`;
  menu.style.left = `${Math.max(left, EDGE_PX)}px`;
}

/** @param {HTMLElement} button */
function open(button) {
  const menu = get("row-menu");
  row = button.closest("li");
  const link = first("a", row);
  for (const form of all("[data-row-form]", menu)) {
    const href = link?.getAttribute("href") ?? "";
    form.setAttribute("action", `${href}${form.dataset.rowForm}`);
    // What a messenger shows already need not be brought there.
    if (form.dataset.shown) form.hidden = href.endsWith(form.dataset.shown);
  }
  input("conversation-name").value = link?.textContent ?? "";
  first("details", menu)?.removeAttribute("open");
  menu.showPopover();
  place(menu, button);
  get("conversation-name").focus();
}

/** @param {HTMLElement} menu */
function placeAgain(menu) {
  const button = row?.isConnected ? first("[data-row-menu]", row) : null;
  if (button) place(menu, button);
}

function close() {
  const menu = find("row-menu");
  if (menu?.matches(":popover-open")) menu.hidePopover();
}

document.addEventListener("click", (event) => {
  const button = closest(event, "[data-row-menu]");
  const opensHere = !(event.metaKey || event.ctrlKey || event.shiftKey);
  if (!button || !opensHere || !HTMLElement.prototype.showPopover) return;
  event.preventDefault();
  const isOpen = row === button.closest("li") && get("row-menu").matches(":popover-open");
  if (isOpen) close();
  else open(button);
});
// As a button it is pressed by the space bar too.
document.addEventListener("keydown", (event) => {
  const button = targetOf(event);
  if (event.key !== " " || !(button instanceof HTMLElement) || !button.matches("[data-row-menu]")) return;
  event.preventDefault();
  button.click();
});
// "Delete…" makes it taller.
document.addEventListener(
  "toggle",
  (event) => {
    const menu = find("row-menu");
    if (targetOf(event) !== menu && menu?.contains(targetOf(event))) placeAgain(menu);
  },
  true,
);
document.addEventListener(
  "scroll",
  (event) => {
    if (targetOf(event)?.id === "conversations") close();
  },
  true,
);
addEventListener("resize", () => {
  const menu = find("row-menu");
  if (menu?.matches(":popover-open")) placeAgain(menu);
});

document.addEventListener("htmx:configRequest", (event) => {
  const { elt } = event.detail;
  if (elt.matches("[data-row-form]")) event.detail.path = elt.getAttribute("action") ?? "";
});
document.addEventListener("htmx:afterRequest", (event) => {
  if (!event.detail.requestConfig?.elt.matches("[data-row-form]")) return;
  const name = row?.id ?? "";
  close();
  first("[data-row-menu]", find(name))?.focus();
});
// A conversation that has just begun is listed with all others.
document.addEventListener("htmx:load", (event) => {
  if (event.detail.elt.id !== "conversation" || !find("conversation-search")) return;
  input("conversation-search").value = "";
});
