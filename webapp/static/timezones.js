// Turns the list of time zones into a field that can be searched, and guesses the zone.
// Without this script the plain list stays, and works.

const SHOWN = 60;

function clockIn(zone) {
  try {
    const options = { timeZone: zone, hour: "2-digit", minute: "2-digit", hourCycle: "h23" };
    return new Intl.DateTimeFormat("en", options).format(new Date());
  } catch (_) {
    return ""; // This browser does not know the zone; the server does.
  }
}

function plain(text) {
  return text.toLowerCase().replace(/[_/,]+/g, " ").trim();
}

class ZonePicker {
  constructor(select) {
    this.select = select;
    this.zones = [...select.options].map((option) => option.value).filter(Boolean);
    this.build();
    if (select.dataset.guess) this.guess();
    this.showChosen();
  }

  build() {
    const { select } = this;
    const id = select.id;
    this.box = document.createElement("div");
    this.box.className = "zone-picker";
    this.box.innerHTML = `<input class="input" role="combobox" aria-autocomplete="list"
      aria-expanded="false" autocomplete="off" spellcheck="false" autocapitalize="none">
      <span class="zone-clock" aria-hidden="true"></span>
      <ul class="zone-list panel" role="listbox" hidden></ul>`;
    [this.input, this.clock, this.list] = this.box.children;
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
      const option = event.target.closest("[role=option]");
      if (option) this.choose(option.dataset.zone);
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

  found(words) {
    const wanted = plain(words).split(" ").filter(Boolean);
    const fits = (zone) => wanted.every((word) => plain(zone).includes(word));
    const first = (zone) => (plain(zone.split("/").pop()).startsWith(wanted[0] ?? "") ? 0 : 1);
    const zones = this.zones.filter(fits);
    return wanted.length ? zones.sort((a, b) => first(a) - first(b)) : zones;
  }

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

  optionFor(zone, at) {
    const option = document.createElement("li");
    option.id = `${this.list.id}-${at}`;
    option.dataset.zone = zone;
    option.setAttribute("role", "option");
    option.textContent = zone.replaceAll("_", " ");
    return option;
  }

  mark(at) {
    const options = [...this.list.querySelectorAll("[role=option]")];
    this.at = Math.min(Math.max(at, 0), options.length - 1);
    options.forEach((option, index) => {
      option.setAttribute("aria-selected", String(index === this.at));
    });
    const marked = options[this.at];
    this.input.setAttribute("aria-activedescendant", marked?.id ?? "");
    marked?.scrollIntoView({ block: "nearest" });
  }

  onKey(event) {
    const moves = { ArrowDown: 1, ArrowUp: -1, PageDown: 8, PageUp: -8 };
    if (event.key in moves) {
      event.preventDefault();
      if (this.list.hidden) this.open("");
      else this.mark(this.at + moves[event.key]);
    } else if (event.key === "Enter" && !this.list.hidden) {
      event.preventDefault();
      const marked = this.list.querySelector('[aria-selected="true"]');
      if (marked) this.choose(marked.dataset.zone);
    } else if (event.key === "Escape" && !this.list.hidden) {
      event.preventDefault();
      this.close();
    }
  }

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

for (const select of document.querySelectorAll("select[data-timezones]")) new ZonePicker(select);
