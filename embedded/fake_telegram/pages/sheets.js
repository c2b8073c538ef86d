// The one sheet that comes up from below: menus, small forms, what the bot wants seen at once.
import { element, get, icon } from "./dom.js";

const sheet = () => /** @type {HTMLDialogElement} */ (get("sheet"));

/** @typedef {{ label: string, icon: string, act: () => void, isGrave?: boolean }} Choice */

export const close = () => sheet().close();

/**
 * Act once, when what is shown now goes.
 * @param {() => void} act
 */
export function onClose(act) {
  const hear = () => {
    // Of one that was closed before, and is told late.
    if (sheet().open) return;
    sheet().removeEventListener("close", hear);
    act();
  };
  sheet().addEventListener("close", hear);
}

/**
 * Show something, with a heading.
 * @param {string} title
 * @param {...Node} inside
 */
export function show(title, ...inside) {
  const heading = element("h2", { id: "sheet-title" }, title);
  const leave = element("button", { type: "button", class: "round", "aria-label": "Close", click: close }, icon("cross"));
  sheet().replaceChildren(element("header", {}, heading, leave), ...inside);
  if (sheet().open) return;
  sheet().showModal();
  onClose(() => sheet().replaceChildren());
}

/**
 * Let one of several things be chosen.
 * @param {string} title
 * @param {Choice[]} choices
 */
export function choose(title, choices) {
  const items = choices.map((one) => element("li", {}, choice(one)));
  show(title, element("ul", { class: "choices" }, ...items));
}

/** @param {Choice} one */
function choice(one) {
  const act = () => {
    close();
    one.act();
  };
  const look = { type: "button", class: one.isGrave ? "grave" : "", click: act };
  return element("button", look, icon(one.icon), one.label);
}

/** @typedef {{ name: string, label: string, value?: string, type?: string, isNeeded?: boolean, hint?: string }} Field */

/**
 * Ask for some values, and act on them.
 * @param {string} title
 * @param {Field[]} fields
 * @param {string} label what the button says
 * @param {(values: Record<string, string>) => Promise<unknown>} act its error is shown, and the form stays
 * @param {...Node} before what stands above the fields
 */
export function fill(title, fields, label, act, ...before) {
  const refusal = element("p", { class: "refused", role: "alert", hidden: true });
  const form = element("form", { class: "fill" }, ...before, ...fields.map(row), refusal, element("button", { class: "main" }, label));
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const values = Object.fromEntries([...new FormData(form)].map(([name, value]) => [name, String(value)]));
    try {
      await act(values);
      close();
    } catch (trouble) {
      refusal.textContent = trouble instanceof Error ? trouble.message : String(trouble);
      refusal.hidden = false;
    }
  });
  show(title, form);
}

/** @param {Field} one */
function row(one) {
  const id = `field-${one.name}`;
  const more = { required: Boolean(one.isNeeded), type: one.type ?? "text", step: "any", autocomplete: "off" };
  const input = element("input", { id, name: one.name, value: one.value ?? "", ...more });
  const hint = one.hint ? element("small", { id: `${id}-hint` }, one.hint) : null;
  if (hint) input.setAttribute("aria-describedby", hint.id);
  return element("div", { class: "field" }, element("label", { for: id }, one.label), input, hint);
}

/**
 * Say something for a moment.
 * @param {string} words
 */
export function toast(words) {
  const said = element("p", {}, words);
  get("toasts").replaceChildren(said);
  setTimeout(() => said.remove(), 4000);
}
