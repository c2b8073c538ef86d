// The form in which a message is written: it grows, keeps what was typed, and shows the files.
"use strict";

(() => {
  const find = (id) => document.getElementById(id);
  // How close an Enter is to the end of the composition that it ended.
  const COMPOSED_MS = 60;
  const hasKeyboard = matchMedia("(hover: hover) and (pointer: fine)");
  // htmx would copy our textarea's height as an attribute, which the page's policy forbids.
  htmx.config.attributesToSettle = ["class"];

  // What was typed outlives a reload, a login that has ended, and a sending that failed.

  const keep = () => drafts.keep(find("text").value);

  async function restore() {
    find("text").value ||= drafts.read();
    grow();
    const files = await drafts.readFiles();
    if (files.length && !chosen.length) setFiles(files);
  }

  function grow() {
    const area = find("text");
    area.style.height = "auto";
    area.style.height = `${area.scrollHeight}px`;
  }

  function setText(text) {
    find("text").value = text;
    grow();
    keep();
  }

  // Files: an input holds them, so that the form sends them; the list shows them.

  function setFiles(files) {
    const carrier = new DataTransfer();
    for (const file of files) carrier.items.add(file);
    find("files").files = carrier.files;
    chosen = [...files];
    drafts.keepFiles(chosen);
    showFiles();
  }

  let chosen = [];

  function addFiles(files) {
    const { maxFiles, maxBytes } = find("composer").dataset;
    const tooBig = files.find((file) => file.size > Number(maxBytes));
    if (tooBig) {
      refuse(`“${tooBig.name}” is larger than ${Math.floor(maxBytes / 1024 ** 2)} MB. Send a smaller one.`);
    }
    const fitting = [...chosen, ...files.filter((file) => file !== tooBig && file.size <= maxBytes)];
    if (fitting.length > Number(maxFiles)) refuse(`Please send at most ${maxFiles} files at once.`);
    setFiles(fitting.slice(0, Number(maxFiles)));
  }

  function tell(words, { role, className }) {
    const notice = document.createElement("p");
    notice.className = className;
    notice.setAttribute("role", role);
    notice.textContent = words;
    find("composer-notice").replaceChildren(notice);
  }

  const refuse = (words) => tell(words, { role: "alert", className: "notice" });

  function showFiles() {
    const list = find("chosen-files");
    for (const image of list.querySelectorAll("img")) URL.revokeObjectURL(image.src);
    list.replaceChildren(...chosen.map(showFile));
    list.hidden = !chosen.length;
  }

  function showFile(file, index) {
    const item = document.createElement("li");
    item.className = "chosen-file";
    if (/^image\/(png|jpeg|gif|webp)$/.test(file.type)) {
      const image = document.createElement("img");
      image.src = URL.createObjectURL(file);
      image.alt = "";
      item.append(image);
    }
    const name = document.createElement("span");
    name.textContent = file.name;
    const remove = document.createElement("button");
    remove.type = "button";
    remove.dataset.removes = String(index);
    remove.setAttribute("aria-label", `Remove ${file.name}`);
    remove.textContent = "×";
    item.append(name, remove);
    return item;
  }

  document.addEventListener("input", (event) => {
    if (event.target.id !== "text") return;
    grow();
    keep();
  });

  document.addEventListener("change", (event) => {
    if (event.target.id === "files") addFiles([...event.target.files]);
  });

  document.addEventListener("click", (event) => {
    const remover = event.target.closest("[data-removes]");
    if (remover) {
      setFiles(chosen.filter((_, index) => index !== Number(remover.dataset.removes)));
      find("text").focus();
    }
    const filler = event.target.closest("[data-fills]");
    if (filler) {
      setText(filler.textContent.trim());
      find("text").focus();
    }
    // Anywhere in the box is the field.
    if (event.target.matches(".composer-box, .composer-tools")) find("text").focus();
  });

  // On a keyboard Enter sends; on a phone it makes a new line, and the button sends. The Enter that
  // chooses among what an input method offers does neither: Safari tells of it when the composition
  // is over already, some by the key code 229 and some only by coming at the same moment.
  let composedAt = -Infinity;
  document.addEventListener("compositionend", (event) => (composedAt = event.timeStamp));
  document.addEventListener("keydown", (event) => {
    if (event.target.id !== "text" || event.key !== "Enter" || event.shiftKey) return;
    if (event.isComposing || event.keyCode === 229 || !hasKeyboard.matches) return;
    event.preventDefault();
    if (event.timeStamp - composedAt < COMPOSED_MS) return;
    if (!find("composer").querySelector(".composer-send").disabled) find("composer").requestSubmit();
  });

  // Spreadsheets and word processors add a picture of what was copied: the words count. A file
  // that was copied comes with nothing but its name.
  function isText(text, files) {
    const names = files.map((file) => file.name);
    const isNames = text.split("\n").every((line) => names.includes(line.trim().split(/[\\/]/).pop()));
    return text.trim() && !isNames && files.every((file) => file.type.startsWith("image/"));
  }

  function attach(text) {
    // A text file with these would be taken for something else.
    const clean = text.replace(/[\x00-\x08\x0e-\x1a\x1c-\x1f]/g, "");
    const taken = chosen.filter((file) => file.name.startsWith("Pasted text")).length;
    const file = new File([clean], `Pasted text${taken ? ` ${taken + 1}` : ""}.txt`, { type: "text/plain" });
    tell(`Your text is long, so it was attached as “${file.name}”.`, {
      role: "status",
      className: "notice notice-plain",
    });
    addFiles([file]);
  }

  document.addEventListener("paste", (event) => {
    if (event.target.id !== "text") return;
    const area = event.target;
    const files = [...(event.clipboardData?.files || [])];
    const text = event.clipboardData?.getData("text/plain") || "";
    const stays = area.value.length - (area.selectionEnd - area.selectionStart);
    if (files.length && !isText(text, files)) {
      event.preventDefault();
      addFiles(files);
    } else if (stays + text.length > Number(find("composer").dataset.maxChars)) {
      event.preventDefault();
      attach(text);
    }
  });

  addEventListener("storage", (event) => {
    if (find("composer") && find("text").value && drafts.readSent(event) === find("text").value) setText("");
  });

  for (const kind of ["dragover", "dragleave", "drop"]) {
    document.addEventListener(kind, (event) => {
      const here = event.target.closest?.("#conversation");
      if (!here || !event.dataTransfer?.types.includes("Files")) return;
      event.preventDefault();
      here.toggleAttribute("data-dropping", kind === "dragover");
      if (kind === "drop") addFiles([...event.dataTransfer.files]);
    });
  }

  // Sending. What is typed while it is under way stays, and what is sent again is said once: the
  // key stays until an answer says that the message came.

  function renewKey() {
    const bytes = crypto.getRandomValues(new Uint8Array(16));
    find("sent-key").value = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  }

  let sent = "";
  let rest = "";

  document.addEventListener("htmx:confirm", (event) => {
    if (event.detail.elt.id !== "composer") return;
    if (!find("text").value.trim() && !chosen.length) {
      event.preventDefault();
      find("text").focus();
    }
  });

  document.addEventListener("htmx:beforeRequest", (event) => {
    if (event.detail.elt.id !== "composer") return;
    sent = find("text").value;
    find("composer").setAttribute("aria-busy", "true");
    find("composer-notice").replaceChildren();
  });

  document.addEventListener("htmx:beforeSwap", (event) => {
    const { requestConfig, xhr } = event.detail;
    if (requestConfig.elt.id !== "composer" || xhr.status !== 200) return;
    const { value } = find("text");
    rest = value.startsWith(sent) ? value.slice(sent.length) : value;
    drafts.tellSent(sent);
    setText(rest);
    setFiles([]);
    renewKey();
  });

  document.addEventListener("htmx:afterRequest", (event) => {
    if (event.detail.requestConfig?.elt.id === "composer") find("composer").removeAttribute("aria-busy");
  });

  document.addEventListener("htmx:load", (event) => {
    if (event.detail.elt.id !== "conversation") return;
    chosen = [];
    renewKey();
    setText(rest);
    if (hasKeyboard.matches) find("text").focus();
  });

  if (find("composer")) {
    restore();
    renewKey();
    if (hasKeyboard.matches) find("text").focus({ preventScroll: true });
  }
})();
