// The list of conversations: the menu of a row, which all rows share. Without it their buttons lead
// to a page that does the same.
"use strict";

(() => {
  const GAP_PX = 4;
  const EDGE_PX = 8;

  const find = (id) => document.getElementById(id);
  // What a row's button belongs to, while its menu is open.
  let row = null;

  // Below the button, or above it where there is no room; never beyond the edge of the screen.
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

  function open(button) {
    const menu = find("row-menu");
    row = button.closest("li");
    const link = row.querySelector("a");
    for (const form of menu.querySelectorAll("[data-row-form]")) {
      form.setAttribute("action", link.getAttribute("href") + form.dataset.rowForm);
    }
    find("conversation-name").value = link.textContent;
    menu.querySelector("details").open = false;
    menu.showPopover();
    place(menu, button);
    find("conversation-name").focus();
  }

  function close() {
    const menu = find("row-menu");
    if (menu?.matches(":popover-open")) menu.hidePopover();
  }

  document.addEventListener("click", (event) => {
    const button = event.target.closest?.("[data-row-menu]");
    const opensHere = !(event.metaKey || event.ctrlKey || event.shiftKey);
    if (!button || !opensHere || !HTMLElement.prototype.showPopover) return;
    event.preventDefault();
    const isOpen = row === button.closest("li") && find("row-menu").matches(":popover-open");
    if (isOpen) close();
    else open(button);
  });
  // As a button it is pressed by the space bar too.
  document.addEventListener("keydown", (event) => {
    if (event.key !== " " || !event.target.matches?.("[data-row-menu]")) return;
    event.preventDefault();
    event.target.click();
  });
  // "Delete…" makes it taller.
  document.addEventListener(
    "toggle",
    (event) => {
      const menu = find("row-menu");
      if (event.target !== menu && menu?.contains(event.target) && row?.isConnected) {
        place(menu, row.querySelector("[data-row-menu]"));
      }
    },
    true,
  );
  document.addEventListener(
    "scroll",
    (event) => event.target instanceof Element && event.target.id === "conversations" && close(),
    true,
  );
  addEventListener("resize", () => {
    const menu = find("row-menu");
    if (menu?.matches(":popover-open") && row?.isConnected) {
      place(menu, row.querySelector("[data-row-menu]"));
    }
  });

  document.addEventListener("htmx:configRequest", (event) => {
    const { elt } = event.detail;
    if (elt.matches("[data-row-form]")) event.detail.path = elt.getAttribute("action");
  });
  document.addEventListener("htmx:afterRequest", (event) => {
    if (!event.detail.requestConfig?.elt.matches("[data-row-form]")) return;
    const name = row?.id;
    close();
    document.getElementById(name)?.querySelector("[data-row-menu]")?.focus();
  });
  // A conversation that has just begun is listed with all others.
  document.addEventListener("htmx:load", (event) => {
    const search = find("conversation-search");
    if (event.detail.elt.id === "conversation" && search) search.value = "";
  });
})();
