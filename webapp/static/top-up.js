// Whoever types an amount wants that one: it is chosen, and the button says what will be asked for.
import { all, first, input, targetOf } from "./dom.js";

const DOLLARS = /^\$? ?(\d{1,3}(,\d{3}){1,2}|\d{1,7})?(\.\d{0,2})?$/;

/** @typedef {{ amount: RadioNodeList, custom: HTMLInputElement }} Fields */

/** @param {HTMLFormElement} form */
const fieldsOf = (form) => /** @type {Fields} */ (/** @type {unknown} */ (form.elements));

/** @param {HTMLFormElement} form */
function inWords(form) {
  const { amount, custom } = fieldsOf(form);
  const chosen = amount.value;
  const typed = custom.value.trim();
  if (chosen !== "custom") return chosen ? `: $${chosen}` : "";
  if (!/\d/.test(typed) || !DOLLARS.test(typed)) return "";
  const dollars = Number(typed.replace(/[$,\s]/g, ""));
  return `: ${dollars.toLocaleString("en-US", { style: "currency", currency: "USD" })}`;
}

/** @param {HTMLFormElement} form */
function show(form) {
  const label = first("[data-amount]", form);
  if (label) label.textContent = inWords(form);
}

/** @param {HTMLFormElement} form */
function listen(form) {
  const { custom } = fieldsOf(form);
  custom.addEventListener("input", () => {
    if (custom.value.trim()) input("amount-custom").checked = true;
  });
  form.addEventListener("input", () => show(form));
  form.addEventListener("change", (event) => {
    // One of the list is wanted after all.
    const chosen = targetOf(event);
    if (!(chosen instanceof HTMLInputElement)) return;
    if (chosen.name === "amount" && chosen.value !== "custom") custom.value = "";
    if (chosen.id === "amount-custom") custom.focus();
    show(form);
  });
  // A browser fills forms in again when its person comes back.
  addEventListener("pageshow", () => show(form));
  show(form);
}

for (const form of all("form[data-top-up]")) {
  if (form instanceof HTMLFormElement) listen(form);
}
