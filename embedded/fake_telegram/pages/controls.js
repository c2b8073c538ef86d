// The page of switches: shows how they are, and changes them.
import { ask, hand } from "./api.js";
import { get } from "./dom.js";

// Shown as per cent, kept as shares.
const SHARES = ["fail_before", "fail_after", "cut_before", "cut_after", "flood"];
const PERCENT = 100;

/** @param {string} id */
const form = (id) => /** @type {HTMLFormElement} */ (get(id));

/** @param {string} words */
function say(words) {
  get("said").textContent = words;
  setTimeout(() => {
    if (get("said").textContent === words) get("said").textContent = "";
  }, 4000);
}

/**
 * @param {HTMLFormElement} of
 * @returns {HTMLInputElement[]}
 */
const inputs = (of) => [...of.querySelectorAll("input")];

/** @param {string} id */
async function show(id) {
  /** @type {Record<string, number>} */
  const values = await ask(`control/${id}`);
  for (const input of inputs(form(id))) {
    const value = values[input.name];
    input.value = String(SHARES.includes(input.name) ? Math.round(value * PERCENT * 100) / 100 : value);
  }
}

/** @param {string} id */
function save(id) {
  form(id).addEventListener("submit", async (event) => {
    event.preventDefault();
    const values = inputs(form(id)).map((input) => {
      const value = Number(input.value);
      return [input.name, SHARES.includes(input.name) ? value / PERCENT : value];
    });
    await tried(async () => {
      await hand(`control/${id}`, Object.fromEntries(values), "PUT");
      await show(id);
      say("Saved");
    });
  });
}

/** @param {() => Promise<void>} act */
async function tried(act) {
  try {
    await act();
  } catch (trouble) {
    say(trouble instanceof Error ? trouble.message : String(trouble));
  }
}

get("forget").addEventListener("click", () =>
  tried(async () => {
    if (!window.confirm("Forget all chats, and set all switches back?")) return;
    await ask("control/everything", { method: "DELETE" });
    await Promise.all([show("faults"), show("limits")]);
    say("Forgotten");
  }),
);
for (const id of ["faults", "limits"]) {
  save(id);
  show(id);
}
