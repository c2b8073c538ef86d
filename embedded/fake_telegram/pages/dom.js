// Small helps with the document. Text goes into it as text alone, whoever wrote it.

/** @typedef {Node | string | null | undefined | false} Child */

/**
 * Make an element with attributes and what is in it.
 * @template {keyof HTMLElementTagNameMap} Tag
 * @param {Tag} tag
 * @param {Record<string, string | boolean | (() => void)>} [attributes] a function is called on clicks
 * @param {...Child} children
 * @returns {HTMLElementTagNameMap[Tag]}
 */
export function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") made.addEventListener(name, value);
    else if (value === true) made.setAttribute(name, "");
    else if (value !== false) made.setAttribute(name, value);
  }
  made.append(...children.filter(isShown));
  return made;
}

/**
 * @param {Child} child
 * @returns {child is Node | string}
 */
function isShown(child) {
  return child !== null && child !== undefined && child !== false && child !== "";
}

/**
 * Return an element that the page is sure to have.
 * @param {string} id
 */
export function get(id) {
  const found = document.getElementById(id);
  if (!found) throw new Error(`the page has no #${id}`);
  return found;
}

/**
 * Return the form field of this id.
 * @param {string} id
 */
export const field = (id) => /** @type {HTMLInputElement} */ (get(id));

const SVG = "http://www.w3.org/2000/svg";

/**
 * Draw one of the pictures at the top of the page.
 * @param {string} name
 */
export function icon(name) {
  const drawn = document.createElementNS(SVG, "svg");
  drawn.setAttribute("aria-hidden", "true");
  drawn.setAttribute("class", "icon");
  const use = document.createElementNS(SVG, "use");
  use.setAttribute("href", `#${name}`);
  drawn.append(use);
  return drawn;
}

/**
 * The round picture beside a name.
 * @param {string} name
 * @param {number} id from which its colour follows
 */
export const avatar = (name, id) =>
  element("span", { class: `avatar tint-${Math.abs(id) % 5}`, "aria-hidden": "true" }, name.slice(0, 1).toUpperCase());

/** @param {number} seconds since 1970 */
export const clock = (seconds) => new Date(seconds * 1000).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });

/** @param {number} bytes */
export function size(bytes) {
  if (bytes < 1024) return `${bytes} bytes`;
  const [amount, unit] = bytes < 1024 ** 2 ? [bytes / 1024, "KB"] : [bytes / 1024 ** 2, "MB"];
  return `${amount.toFixed(amount < 10 ? 1 : 0)} ${unit}`;
}
