// Turns the list of time zones into a field that can be searched, and guesses the zone.
// Without this script the plain list stays, and works.
import { all, closest, first } from "./dom.js";

const SHOWN = 60;

/** @param {string} zone */
function clockIn(zone) {
  try {
    /** @type {Intl.DateTimeFormatOptions} */
    const options = { timeZone: zone, hour: "2-digit", minute: "2-digit", hourCycle: "h23" };
    return new Intl.DateTimeFormat("en", options).format(new Date());
  } catch {
    return ""; // This browser does not know the zone; the server does.
  }
}

/** @param {string} text */
function plain(text) {
  return text.toLowerCase().replace(/[_/,]+/g, " ").trim();
}

const FIELD = {
  class: "input",
  role: "combobox",
  "aria-autocomplete": "list",
  "aria-expanded": "false",
  autocomplete: "off",
  spellcheck: "false",
  autocapitalize: "none",
};

/**
 * @param {Element} element
 * @param {Record<string, string>} attributes
 */
function setAll(element, attributes) {
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
}

class ZonePicker {
  /** @param {HTMLSelectElement} select */
  constructor(select) {
    this.select = select;
    this.at = 0;
    this.box = document.createElement("div");
    this.input = document.createElement("input");
    this.clock = document.createElement("span");
    this.list = document.createElement("ul");
    this.zones = [...select.options].map((option) => option.value).filter(Boolean);
    this.build();
    if (select.dataset.guess) this.guess();
    this.showChosen();
  }

  build() {
    const { select } = this;
    const id = select.id;
    this.box.className = "zone-picker";
    setAll(this.input, FIELD);
    setAll(this.clock, { class: "zone-clock", "aria-hidden": "true" });
    setAll(this.list, { class: "zone-list panel", role: "listbox", hidden: "" });
    this.box.append(this.input, this.clock, this.list);
    // The label now belongs to the field that is seen.
    select.id = `${id}-list`;
    this.input.id = id;
    this.list.id = `${id}-options`;
    this.list.setAttribute("aria-label", "Time zones");
    this.input.setAttribute("aria-controls", this.list.id);
    this.input.setAttribute("aria-describedby", select.getAttribute("aria-describedby") ?? "");
    this.input.placeholder = "City or region";
    this.input.required = select.required;
    select.required = false;
    select.hidden = true;
    select.after(this.box);
    this.listen();
  }

  listen() {
    this.input.addEventListener("focus", () => this.input.select());
    this.input.addEventListener("click", () => this.open(""));
    this.input.addEventListener("input", () => this.open(this.input.value));
    this.input.addEventListener("keydown", (event) => this.onKey(event));
    this.input.addEventListener("blur", () => this.close());
    // Before "blur" takes the list away.
    this.list.addEventListener("pointerdown", (event) => event.preventDefault());
    this.list.addEventListener("click", (event) => {
      const option = closest(event, "[role=option]");
      if (option) this.choose(option.dataset.zone ?? "");
    });
  }

  guess() {
    const here = Intl.DateTimeFormat().resolvedOptions().timeZone;
    if (this.zones.includes(here)) this.select.value = here;
  }

  showChosen() {
    const zone = this.select.value;
    this.input.value = zone.replaceAll("_", " ");
    this.clock.textContent = zone ? clockIn(zone) : "";
  }

  /** @param {string} words */
  found(words) {
    const wanted = plain(words).split(" ").filter(Boolean);
    /** @param {string} zone */
    const fits = (zone) => wanted.every((word) => plain(zone).includes(word));
    /** @param {string} zone */
    const rank = (zone) => (plain(zone.split("/").pop() ?? "").startsWith(wanted[0] ?? "") ? 0 : 1);
    const zones = this.zones.filter(fits);
    return wanted.length ? zones.sort((a, b) => rank(a) - rank(b)) : zones;
  }

  /** @param {string} words */
  open(words) {
    const zones = this.found(words).slice(0, words ? SHOWN : undefined);
    this.list.replaceChildren(...zones.map((zone, at) => this.optionFor(zone, at)));
    if (!zones.length) {
      const nothing = document.createElement("li");
      nothing.textContent = "No zone of this name. Try the nearest big city.";
      nothing.className = "px-3 py-2.5 quiet";
      this.list.append(nothing);
    }
    this.list.hidden = false;
    this.input.setAttribute("aria-expanded", "true");
    this.mark(Math.max(0, words ? 0 : zones.indexOf(this.select.value)));
  }

  /**
   * @param {string} zone
   * @param {number} at
   */
  optionFor(zone, at) {
    const option = document.createElement("li");
    option.id = `${this.list.id}-${at}`;
    option.dataset.zone = zone;
    option.setAttribute("role", "option");
    option.textContent = zone.replaceAll("_", " ");
    return option;
  }

  /** @param {number} at */
  mark(at) {
    const options = all("[role=option]", this.list);
    this.at = Math.min(Math.max(at, 0), options.length - 1);
    options.forEach((option, index) => {
      option.setAttribute("aria-selected", String(index === this.at));
    });
    const marked = options[this.at];
    this.input.setAttribute("aria-activedescendant", marked?.id ?? "");
    marked?.scrollIntoView({ block: "nearest" });
  }

  /** @param {KeyboardEvent} event */
  onKey(event) {
    /** @type {Record<string, number>} */
    const moves = { ArrowDown: 1, ArrowUp: -1, PageDown: 8, PageUp: -8 };
    const move = moves[event.key];
    if (move) {
      event.preventDefault();
      if (this.list.hidden) this.open("");
      else this.mark(this.at + move);
    } else if (event.key === "Enter" && !this.list.hidden) {
      event.preventDefault();
      const marked = first('[aria-selected="true"]', this.list);
      if (marked) this.choose(marked.dataset.zone ?? "");
    } else if (event.key === "Escape" && !this.list.hidden) {
      event.preventDefault();
      this.close();
    }
  }

  /** @param {string} zone */
  choose(zone) {
    this.select.value = zone;
    this.close();
  }

  // What was typed and not chosen is forgotten: the field always shows what will be sent.
  close() {
    this.list.hidden = true;
    this.input.setAttribute("aria-expanded", "false");
    this.input.removeAttribute("aria-activedescendant");
    this.showChosen();
  }
}

for (const select of all("select[data-timezones]")) {
  if (select instanceof HTMLSelectElement) new ZonePicker(select);
}
