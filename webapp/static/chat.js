// What is told of the conversation on the page, and what a person does besides writing.
// webapp/chat/event_stream.py says which events there are; live.js hears and chat-draw.js shows them.
import * as drawing from "./chat-draw.js";
import { closest, find, first, targetOf } from "./dom.js";
import * as live from "./live.js";
import * as pushOffer from "./push-offer.js";

/**
 * An addition to an answer; of another attempt than the one shown it is not heard.
 * @param {(run: HTMLElement, told: drawing.Told) => void} act
 * @returns {(data: string) => void}
 */
const adding = (act) => (data) => {
  const told = JSON.parse(data);
  const run = drawing.runOf(told);
  if (run) act(run, told);
};

/** @type {Record<string, (data: string) => void>} */
const ON = {
  exchange: (data) => {
    drawing.drawAll(data);
    pushOffer.show();
  },
  text: adding((run, told) => drawing.addText(run, told.text)),
  answer: adding((run, told) => drawing.addAnswer(run, told.html, told.tail)),
  tool: adding((run, told) => drawing.setWords(run, told.words)),
  thought: adding((run, told) => drawing.setWords(run, told.words)),
  reload: () => location.reload(),
  gone: goAway,
  beat: () => {},
};

// Deleted elsewhere; or the login has ended, and after the next one the person is back here.
async function goAway() {
  const answer = await fetch(location.href, { method: "HEAD", redirect: "manual" }).catch(() => null);
  if (answer?.status === 404) location.assign("/chat");
  else location.reload();
}

// What the person does.

/** @param {HTMLElement} button */
async function copy(button) {
  const ofCode = button.dataset.copy === "code";
  const box = button.closest(ofCode ? ".code-block" : ".run");
  const text = first(ofCode ? "code" : "[data-answer]", box)?.innerText ?? "";
  const label = first("span", button) ?? button;
  try {
    await navigator.clipboard.writeText(text.replace(/\n{3,}/g, "\n\n"));
    label.textContent = "Copied";
  } catch {
    label.textContent = "Not copied";
  }
  setTimeout(() => (label.textContent = "Copy"), 2000);
}

document.addEventListener("click", (event) => {
  const copier = closest(event, "[data-copy]");
  if (copier) copy(copier);
});

document.addEventListener("htmx:beforeSwap", (event) => {
  const { xhr, requestConfig } = event.detail;
  if (!requestConfig.elt.matches("[data-draws]") || xhr.status !== 200) return;
  event.detail.shouldSwap = false;
  drawing.goToEnd();
  drawing.drawAll(xhr.responseText, { isNews: false });
});
// Stop and Retry are shown by the stream; without one, by asking.
document.addEventListener("htmx:afterRequest", (event) => {
  const { successful, requestConfig } = event.detail;
  if (successful && requestConfig?.elt.matches("[data-acts]") && !live.isOpen()) live.ask();
});

function begin() {
  drawing.begin();
  live.begin(ON);
}

document.addEventListener("htmx:load", (event) => {
  if (targetOf(event)?.id === "conversation") begin();
});
if (find("conversation")) begin();
