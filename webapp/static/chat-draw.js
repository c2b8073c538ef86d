// Drawing a conversation: what the server sends is put in its place, and the end stays in view.
"use strict";

window.drawing = (() => {
  const NEAR_END_PX = 80;
  const NEAR_START_PX = 240;
  // Lower than that, notices begin as one line (chat.css has the same measure).
  const SHORT_PX = 480;
  // The states of an answer that is over.
  const ENDS = ["sent", "failed", "stopped"];

  const find = (id) => document.getElementById(id);

  // Staying at the end, unless the person looks at something further up.

  let isAtEnd = true;
  const sizes = new ResizeObserver(() => stay());

  function stay() {
    const scroll = find("scroll");
    if (scroll && isAtEnd && isBegun()) scroll.scrollTop = scroll.scrollHeight;
    showWayDown();
  }

  // What nobody has said anything in yet is read from its top.
  const isBegun = () => find("exchanges").querySelector("[data-exchange]") !== null;

  function showWayDown() {
    const button = find("to-end");
    if (button) button.hidden = isAtEnd || !isBegun();
  }

  function goToEnd() {
    isAtEnd = true;
    stay();
  }

  function onScroll() {
    const scroll = find("scroll");
    isAtEnd = scroll.scrollHeight - scroll.scrollTop - scroll.clientHeight < NEAR_END_PX;
    showWayDown();
    const earlier = find("earlier");
    if (earlier && scroll.scrollTop < NEAR_START_PX && !earlier.dataset.asked) {
      earlier.dataset.asked = "yes";
      earlier.click();
    }
  }

  // Drawing.

  const tails = new WeakMap();
  const changed = new Set();
  let frame = 0;

  // Show exchanges as the server drew them. What a form brought back is older than what the
  // stream may have shown meanwhile: then `isNews` is false, and only what is missing is added.
  function drawAll(html, { isNews = true } = {}) {
    const holder = document.createElement("template");
    holder.innerHTML = html;
    for (const fresh of [...holder.content.children]) {
      const old = find(fresh.id);
      if (!fresh.dataset.exchange) old?.replaceWith(fresh);
      else if (!old) addExchange(fresh);
      else if (isNews) updateExchange(old, fresh);
    }
    finish();
  }

  function updateExchange(old, fresh) {
    const stays = new Set();
    const runs = [...fresh.querySelectorAll(".run")];
    const isSameSize = old.querySelectorAll(".run").length === runs.length;
    for (const run of runs) {
      stays.add(run.id);
      const before = find(run.id);
      // What is over is told again to who asks again: it stays, with what is selected in it.
      if (isSameSize && ENDS.includes(run.dataset.state) && before?.dataset.state === run.dataset.state) continue;
      if (before) announce(before, run);
      if (before) replaceRun(before, run);
      else old.append(run);
      htmx.process(run);
    }
    for (const run of [...old.querySelectorAll(".run")]) if (!stays.has(run.id)) run.remove();
  }

  function replaceRun(before, run) {
    const hadFocus = before.contains(document.activeElement);
    before.replaceWith(run);
    if (hadFocus) (run.querySelector("button") || find("text"))?.focus({ preventScroll: true });
  }

  function addExchange(fresh) {
    const list = find("exchanges");
    const shown = [...list.querySelectorAll("[data-exchange]")];
    // Ids sort by time. What belongs to an earlier page comes with that page.
    const next = shown.find((one) => one.dataset.exchange > fresh.dataset.exchange);
    if (next && next === shown[0] && find("earlier")) return;
    list.querySelector(".empty")?.remove();
    list.insertBefore(fresh, next || null);
    htmx.process(fresh);
  }

  // What a screen reader says: once, when it is done.
  function announce(before, run) {
    const was = before.dataset.state;
    const is = run.dataset.state;
    if (was === is || !ENDS.includes(is)) return;
    const words = run.querySelector("[data-answer]")?.innerText || run.innerText;
    find("chat-status").textContent = words.replace(/\s+/g, " ").slice(0, 1500);
  }

  // What was drawn gets what only a script can do.
  function finish() {
    const root = find("exchanges");
    for (const head of root.querySelectorAll(".code-head:not(:has(button))")) {
      if (head.closest("[data-tail]") || !navigator.clipboard) continue;
      const button = document.createElement("button");
      button.type = "button";
      button.className = "code-copy";
      button.dataset.copy = "code";
      button.textContent = "Copy";
      head.append(button);
    }
    for (const tail of root.querySelectorAll("[data-tail]")) tailOf(tail);
    stay();
  }

  function tailOf(tail) {
    if (!tails.has(tail)) {
      tails.set(tail, tail.textContent);
      drawPreview(tail, tail.textContent);
    }
    return tails.get(tail);
  }

  // The run that an event adds to; none if the event is of another attempt.
  function runOf(told) {
    const run = find(`job-${told.job}`);
    return run?.dataset.attempt === String(told.attempt) ? run : null;
  }

  function addWords(run, text, { instead = false } = {}) {
    const tail = run.querySelector("[data-tail]");
    if (!tail) return;
    tails.set(tail, instead ? text : tailOf(tail) + text);
    changed.add(tail);
    if (run.dataset.state !== "writing") run.querySelector("[data-words]").textContent = "Writing";
    run.dataset.state = "writing";
    frame ||= requestAnimationFrame(drawTails);
  }

  function drawTails() {
    frame = 0;
    for (const tail of changed) drawPreview(tail, tails.get(tail));
    changed.clear();
    stay();
  }

  function addBlock(run, html, tail) {
    const blocks = run.querySelector("[data-blocks]");
    if (!blocks) return;
    // Made safe by the server, as every answer is.
    blocks.insertAdjacentHTML("beforeend", html);
    addWords(run, tail, { instead: true });
    finish();
  }

  function setWords(run, words) {
    run.dataset.state = "working";
    run.querySelector("[data-words]").textContent = words;
  }

  document.addEventListener("click", (event) => {
    if (event.target.closest("#to-end")) goToEnd();
  });
  document.addEventListener("scroll", (event) => event.target.id === "scroll" && onScroll(), true);

  // Earlier messages come above what is looked at, and do not move it.
  let fromEnd = 0;
  const isEarlier = (event) => event.detail.requestConfig?.elt.id === "earlier";
  const askAgain = (event) => isEarlier(event) && delete find("earlier").dataset.asked;
  document.addEventListener("htmx:responseError", askAgain);
  document.addEventListener("htmx:sendError", askAgain);
  document.addEventListener("htmx:beforeSwap", (event) => {
    if (isEarlier(event)) fromEnd = find("scroll").scrollHeight - find("scroll").scrollTop;
  });
  document.addEventListener("htmx:afterSwap", (event) => {
    if (!isEarlier(event)) return;
    finish();
    find("scroll").scrollTop = find("scroll").scrollHeight - fromEnd;
  });

  function begin() {
    sizes.disconnect();
    sizes.observe(find("scroll"));
    sizes.observe(find("exchanges"));
    if (find("chat-notices")) sizes.observe(find("chat-notices"));
    for (const one of document.querySelectorAll(".notice-words[open]")) one.open = innerHeight >= SHORT_PX;
    isAtEnd = true;
    finish();
  }

  return { addBlock, addWords, begin, drawAll, goToEnd, runOf, setWords };
})();
