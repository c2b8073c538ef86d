// What the page asks of the stand-in. All addresses begin with the page's token.

const HOME = `/${location.pathname.split("/")[1]}/`;

/** @param {string} path */
export const address = (path) => HOME + path;

/** @param {StoredFile} file */
export const fileAddress = (file) => address(`files/${encodeURIComponent(file.file_id)}`);

/**
 * Ask for something; throws an error with the stand-in's words when it refuses.
 * @param {string} path
 * @param {RequestInit} [how]
 */
export async function ask(path, how = {}) {
  const answer = await fetch(address(path), how);
  const told = await answer.json().catch(() => ({}));
  if (!answer.ok) throw new Error(String(told.description || `The stand-in answered ${answer.status}.`));
  return told;
}

/**
 * Hand values in.
 * @param {string} path
 * @param {Record<string, unknown>} values
 * @param {string} [method]
 */
export const hand = (path, values, method = "POST") =>
  ask(path, { method, headers: { "Content-Type": "application/json" }, body: JSON.stringify(values) });

/**
 * Send a message of a person's, with any files.
 * @param {number} person
 * @param {Record<string, string | number>} values
 * @param {File[]} [files]
 */
export function say(person, values, files = []) {
  if (!files.length) return hand(`people/${person}/messages`, values);
  const form = new FormData();
  for (const [name, value] of Object.entries(values)) form.set(name, String(value));
  for (const file of files) form.append("files", file);
  return ask(`people/${person}/messages`, { method: "POST", body: form });
}

/** @type {EventSource | null} */
let source = null;

/**
 * Follow what happens to a person, and nobody else any more. Cut off, it begins with all of it again.
 * @param {number} person
 * @param {(happening: Happening) => void} act
 */
export function follow(person, act) {
  source?.close();
  source = new EventSource(address(`people/${person}/events`));
  source.addEventListener("message", (event) => act(JSON.parse(event.data)));
}
