// Small helps with the document, for all scripts.

/** @param {string} id */
export const find = (id) => document.getElementById(id);

/**
 * Return an element that the page is sure to have.
 * @param {string} id
 */
export function get(id) {
  const found = find(id);
  if (!found) throw new Error(`the page has no #${id}`);
  return found;
}

/**
 * Return the element that an event is about; none if it is about the document or the window.
 * @param {Event} event
 */
export const targetOf = (event) => (event.target instanceof Element ? event.target : null);

/**
 * List the elements within `root` that a selector finds.
 * @param {string} selector
 * @param {ParentNode} root
 * @returns {HTMLElement[]}
 */
export const all = (selector, root = document) => [...root.querySelectorAll(selector)].filter(isHtml);

/**
 * Return the first element within `root` that a selector finds.
 * @param {string} selector
 * @param {ParentNode | null} [root]
 * @returns {HTMLElement | null}
 */
export const first = (selector, root = document) => root?.querySelector(selector) ?? null;

/**
 * Return the element itself or the nearest around it that a selector finds.
 * @param {Event} event
 * @param {string} selector
 * @returns {HTMLElement | null}
 */
export const closest = (event, selector) => targetOf(event)?.closest(selector) ?? null;

/**
 * Return the form field of this id.
 * @param {string} id
 */
export const input = (id) => /** @type {HTMLInputElement} */ (get(id));

/**
 * @param {Element} element
 * @returns {element is HTMLElement}
 */
function isHtml(element) {
  return element instanceof HTMLElement;
}
