// Whoever types an amount wants that one: it is chosen, and the button says what will be asked for.
"use strict";

const DOLLARS = /^\$? ?(\d{1,3}(,\d{3}){1,2}|\d{1,7})?(\.\d{0,2})?$/;

function inWords(form) {
  const chosen = form.elements.amount.value;
  const typed = form.elements.custom.value.trim();
  if (chosen !== "custom") return chosen ? `: $${chosen}` : "";
  if (!/\d/.test(typed) || !DOLLARS.test(typed)) return "";
  const dollars = Number(typed.replace(/[$,\s]/g, ""));
  return `: ${dollars.toLocaleString("en-US", { style: "currency", currency: "USD" })}`;
}

function show(form) {
  form.querySelector("[data-amount]").textContent = inWords(form);
}

for (const form of document.querySelectorAll("[data-top-up]")) {
  const { custom } = form.elements;
  custom.addEventListener("input", () => {
    if (custom.value.trim()) form.querySelector("#amount-custom").checked = true;
  });
  form.addEventListener("input", () => show(form));
  form.addEventListener("change", (event) => {
    // One of the list is wanted after all.
    if (event.target.name === "amount" && event.target.value !== "custom") custom.value = "";
    if (event.target.id === "amount-custom") custom.focus();
    show(form);
  });
  // A browser fills forms in again when its person comes back.
  addEventListener("pageshow", () => show(form));
  show(form);
}
