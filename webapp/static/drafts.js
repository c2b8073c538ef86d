// What is being written, kept in the browser until it is sent: it outlives a reload, a tab and a
// login that has ended. It is its writer's alone: another account in this browser ends it, and so
// does logging out (app.js).
import { find, get } from "./dom.js";

const PREFIX = "draft:";
const STORE = "files";

const here = () => get("conversation").dataset;
const own = () => `${PREFIX}${here().person}:`;
const key = () => own() + here().key;

/**
 * Storage may be closed, or full: then nothing is kept, and all else works.
 * @template T
 * @param {() => T} act
 */
function tried(act) {
  try {
    return act();
  } catch {
    return null;
  }
}

export const read = () => tried(() => localStorage.getItem(key())) || "";

/** @param {string} text */
export function keep(text) {
  tried(() => (text ? localStorage.setItem(key(), text) : localStorage.removeItem(key())));
}

/**
 * Keep under which key a draft is being sent, so that after a reload it is said once.
 * @param {string} text
 * @param {string} sentKey
 */
export const keepKey = (text, sentKey) => tried(() => localStorage.setItem(`${key()}:key`, JSON.stringify([text, sentKey])));

export const forgetKey = () => tried(() => localStorage.removeItem(`${key()}:key`));

/**
 * The key under which this was sent without an answer that it came; none if it was not. Other words
 * under that key would be taken for those that came, and lost.
 * @param {string} text
 * @returns {string | null}
 */
export function readKey(text) {
  const [sent, sentKey] = tried(() => JSON.parse(localStorage.getItem(`${key()}:key`) ?? "[]")) ?? [];
  return sent === text ? sentKey : null;
}

/**
 * What of a file tells it from others, in another tab too.
 * @param {File} file
 */
export const nameOf = (file) => `${file.size} ${file.name}`;

/**
 * Tell other tabs that this was sent, so that nobody sends it there again.
 * @param {string} text
 * @param {File[]} files
 */
export function tellSent(text, files) {
  const name = `${own()}sent`;
  tried(() => localStorage.setItem(name, JSON.stringify([key(), text, files.map(nameOf)])));
  tried(() => localStorage.removeItem(name));
}

/**
 * What another tab has sent from the same form, if this is what a storage event tells.
 * @param {StorageEvent} event
 * @returns {{ text: string, files: string[] } | null}
 */
export function readSent(event) {
  if (event.key !== `${own()}sent` || !event.newValue) return null;
  const [name, text, files] = JSON.parse(event.newValue);
  return name === key() ? { text, files } : null;
}

/**
 * Do something with the files that are kept; nothing if they cannot be.
 * @template T
 * @param {IDBTransactionMode} mode
 * @param {(store: IDBObjectStore) => IDBRequest<T>} act
 * @returns {Promise<T | null>}
 */
function withFiles(mode, act) {
  return new Promise((resolve) => {
    const opening = tried(() => indexedDB.open("drafts", 1));
    if (!opening) return resolve(null);
    opening.onupgradeneeded = () => opening.result.createObjectStore(STORE);
    opening.onerror = opening.onblocked = () => resolve(null);
    opening.onsuccess = () => {
      const database = opening.result;
      const transaction = tried(() => database.transaction(STORE, mode));
      if (!transaction) return resolve(null);
      const request = act(transaction.objectStore(STORE));
      /** @param {T | null} result */
      const done = (result) => {
        database.close();
        resolve(result);
      };
      transaction.oncomplete = () => done(request.result);
      transaction.onerror = transaction.onabort = () => done(null);
    };
  });
}

/** @param {File[]} files */
export function keepFiles(files) {
  const name = key();
  /** @param {IDBObjectStore} store */
  const write = (store) => /** @type {IDBRequest<unknown>} */ (files.length ? store.put(files, name) : store.delete(name));
  return withFiles("readwrite", write);
}

/** @returns {Promise<File[]>} */
export async function readFiles() {
  const name = key();
  return (await withFiles("readonly", (store) => store.get(name))) || [];
}

// What other accounts left here.
function forgetOthers() {
  /** @param {string} name */
  const isOthers = (name) => name.startsWith(PREFIX) && !name.startsWith(own());
  for (const name of Object.keys(localStorage).filter(isOthers)) localStorage.removeItem(name);
  const mine = own();
  withFiles("readwrite", (store) => {
    const names = store.getAllKeys();
    names.onsuccess = () => {
      for (const name of names.result) if (!String(name).startsWith(mine)) store.delete(name);
    };
    return names;
  });
}

if (find("conversation")) tried(forgetOthers);
