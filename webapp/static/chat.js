// The live stream of the conversation on the page, and what a person does besides writing.
// webapp/chat_stream.py says which events there are; chat-draw.js shows them.
"use strict";

(() => {
  const SILENCE_MS = 40_000;
  const NAP_MS = 20_000;
  const LONGEST_WAIT_MS = 30_000;

  const find = (id) => document.getElementById(id);

  // An addition to an answer; of another attempt than the one shown it is not heard.
  const adding = (act) => (data) => {
    const told = JSON.parse(data);
    const run = drawing.runOf(told);
    if (run) act(run, told);
  };

  const ON = {
    exchange: (data) => drawing.drawAll(data),
    text: adding((run, told) => drawing.addWords(run, told.text)),
    block: adding((run, told) => drawing.addBlock(run, told.html, told.tail)),
    tool: adding((run, told) => drawing.setWords(run, told.words)),
    reload: () => location.reload(),
    gone: () => location.assign("/chat"),
    beat: () => {},
  };

  // The stream.

  let source = null;
  let followed = "";
  let cursor = "";
  let heardAt = 0;
  let waitMs = 1000;
  let timer = 0;

  function follow() {
    leave();
    const here = find("conversation");
    if (!here?.dataset.events) return;
    if (followed !== here.dataset.key) cursor = here.dataset.cursor;
    followed = here.dataset.key;
    heardAt = Date.now();
    source = new EventSource(`${here.dataset.events}?after=${encodeURIComponent(cursor)}`);
    source.addEventListener("open", () => {
      waitMs = 1000;
      heardAt = Date.now();
    });
    // Cut off, it comes back by itself; refused, it does not.
    source.addEventListener("error", () => source?.readyState === EventSource.CLOSED && comeBack());
    for (const [kind, act] of Object.entries(ON)) {
      source.addEventListener(kind, (event) => {
        heardAt = Date.now();
        if (event.lastEventId) cursor = event.lastEventId;
        act(event.data);
      });
    }
  }

  function leave() {
    clearTimeout(timer);
    source?.close();
    source = null;
  }

  async function comeBack() {
    leave();
    try {
      const answer = await fetch(location.href, { method: "HEAD", redirect: "manual" });
      // Logged out, or deleted elsewhere.
      if (answer.type === "opaqueredirect" || answer.status === 404) location.reload();
    } catch (_) {
      // No network: it is tried again below, and when there is one.
    }
    timer = setTimeout(follow, waitMs);
    waitMs = Math.min(waitMs * 2, LONGEST_WAIT_MS);
  }

  const isSilentFor = (ms) => followed && Date.now() - heardAt > ms;
  setInterval(() => !document.hidden && isSilentFor(SILENCE_MS) && follow(), 10_000);
  document.addEventListener("visibilitychange", () => {
    if (!document.hidden && isSilentFor(NAP_MS)) follow();
  });
  addEventListener("online", follow);
  addEventListener("pagehide", leave);
  addEventListener("pageshow", (event) => event.persisted && follow());

  // What the person does.

  async function copy(button) {
    const ofCode = button.dataset.copy === "code";
    const box = button.closest(ofCode ? ".code-block" : ".run");
    const text = box.querySelector(ofCode ? "code" : "[data-answer]").innerText;
    const label = button.querySelector("span") || button;
    try {
      await navigator.clipboard.writeText(text.replace(/\n{3,}/g, "\n\n"));
      label.textContent = "Copied";
    } catch (_) {
      label.textContent = "Not copied";
    }
    setTimeout(() => (label.textContent = "Copy"), 2000);
  }

  document.addEventListener("click", (event) => {
    const copier = event.target.closest("[data-copy]");
    if (copier) copy(copier);
  });

  document.addEventListener("htmx:beforeSwap", (event) => {
    const { xhr, requestConfig } = event.detail;
    if (!requestConfig.elt.matches("[data-draws]") || xhr.status !== 200) return;
    event.detail.shouldSwap = false;
    drawing.goToEnd();
    drawing.drawAll(xhr.responseText, { isNews: false });
  });
  // Stop and Retry are shown by the stream; without one, by the page.
  document.addEventListener("htmx:afterRequest", (event) => {
    const { successful, requestConfig } = event.detail;
    const isAlive = source?.readyState === EventSource.OPEN;
    if (successful && requestConfig?.elt.matches("[data-acts]") && !isAlive) location.reload();
  });

  function begin() {
    drawing.begin();
    follow();
  }

  document.addEventListener("htmx:load", (event) => {
    if (event.detail.elt.id === "conversation") begin();
  });
  if (find("conversation")) begin();
})();
