// Formatted text as a messenger shows it. Nothing in it is ever read as HTML.
import { element } from "./dom.js";

const BLOCKS = ["pre", "blockquote", "expandable_blockquote"];
const SCHEMES = ["http:", "https:", "mailto:", "tg:"];
/** @type {Record<string, "strong" | "em" | "u" | "s" | "code" | "blockquote">} */
const PLAIN = {
  bold: "strong",
  italic: "em",
  underline: "u",
  strikethrough: "s",
  code: "code",
  blockquote: "blockquote",
};

/**
 * Draw a text. Offsets are of UTF-16 units, as those of JavaScript's own strings are.
 * @param {string} text
 * @param {Entity[]} entities
 * @param {(command: string) => void} [onCommand] what becomes of a command that is pressed
 */
export function formatted(text, entities, onCommand) {
  const inOrder = [...entities].sort((a, b) => a.offset - b.offset || b.length - a.length);
  const drawn = document.createDocumentFragment();
  drawn.append(...part(text, 0, text.length, inOrder, onCommand));
  return drawn;
}

/**
 * @param {string} text
 * @param {number} from
 * @param {number} to
 * @param {Entity[]} entities those within, in order
 * @param {((command: string) => void) | undefined} onCommand
 */
function part(text, from, to, entities, onCommand) {
  /** @type {Node[]} */
  const drawn = [];
  let at = from;
  let rest = entities;
  while (rest.length) {
    const [first, ...others] = rest;
    const end = Math.min(first.offset + first.length, to);
    const isBlock = BLOCKS.includes(first.type);
    drawn.push(...words(text.slice(at, first.offset), isBlock));
    const inside = others.filter((one) => one.offset + one.length <= end);
    rest = others.filter((one) => one.offset >= end);
    drawn.push(wrapped(first, text.slice(first.offset, end), part(text, first.offset, end, inside, onCommand), onCommand));
    // A block ends its line by itself.
    at = isBlock && text[end] === "\n" ? end + 1 : end;
  }
  drawn.push(...words(text.slice(at, to), false));
  return drawn;
}

/**
 * @param {string} text
 * @param {boolean} isBeforeBlock
 */
function words(text, isBeforeBlock) {
  const shown = isBeforeBlock && text.endsWith("\n") ? text.slice(0, -1) : text;
  return shown ? [new Text(shown)] : [];
}

/**
 * @param {Entity} entity
 * @param {string} about its words
 * @param {Node[]} inside the same, drawn
 * @param {((command: string) => void) | undefined} onCommand
 * @returns {Node}
 */
function wrapped(entity, about, inside, onCommand) {
  if (entity.type in PLAIN) return element(PLAIN[entity.type], {}, ...inside);
  switch (entity.type) {
    case "pre":
      return code(entity, inside);
    case "expandable_blockquote":
      return element("details", {}, element("summary", {}, "Quote"), element("blockquote", {}, ...inside));
    case "spoiler":
      return spoiler(inside);
    case "text_link":
      return link(entity.url ?? "", inside);
    case "url":
      return link(about, inside);
    case "email":
      return link(`mailto:${about}`, inside);
    case "bot_command":
      return command(about, onCommand);
    default:
      return element("span", { class: "marked" }, ...inside);
  }
}

/**
 * @param {Entity} entity
 * @param {Node[]} inside
 */
function code(entity, inside) {
  const label = entity.language ? element("figcaption", {}, entity.language) : null;
  const name = entity.language ? `Code, ${entity.language}` : "Code";
  return element("figure", {}, label, element("pre", { tabindex: "0", "aria-label": name }, ...inside));
}

/** @param {Node[]} inside */
function spoiler(inside) {
  const hidden = element("span", { "aria-hidden": "true" }, ...inside);
  const shown = element("span", { class: "spoiler", role: "button", tabindex: "0", "aria-label": "Show what is hidden" }, hidden);
  const reveal = () => {
    hidden.removeAttribute("aria-hidden");
    shown.replaceWith(hidden);
  };
  shown.addEventListener("click", reveal);
  shown.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" && event.key !== " ") return;
    event.preventDefault();
    reveal();
  });
  return shown;
}

/**
 * @param {string} about
 * @param {((command: string) => void) | undefined} onCommand
 */
function command(about, onCommand) {
  if (!onCommand) return element("span", { class: "marked" }, about);
  return element("button", { class: "command", type: "button", click: () => onCommand(about) }, about);
}

/**
 * @param {string} to
 * @param {Node[]} inside
 */
function link(to, inside) {
  const href = safe(to);
  if (!href) return element("span", {}, ...inside);
  return element("a", { href, target: "_blank", rel: "noopener noreferrer" }, ...inside);
}

/**
 * Return an address that may be opened; none for one that would run something.
 * @param {string} to
 */
export function safe(to) {
  const url = URL.parse ? URL.parse(to) : parsed(to);
  return url && SCHEMES.includes(url.protocol) ? url.href : "";
}

/** @param {string} to */
function parsed(to) {
  try {
    return new URL(to);
  } catch {
    return null;
  }
}
