// The person's files, whole for a restore, and for a save only what changed since the one before.
//
// Both ways files are framed alike: a line of JSON, then so many bytes. A reading has a number, its
// generation. Who names the last one is spared what is still as it was then: files whose size,
// times and inode are the same, and the pages of the database that equal those of the copy that
// was sent. The worker compares hashes of what comes, so all this only saves work.
import {closeSync, constants, fstatSync, lstatSync, mkdirSync, openSync, opendirSync, readSync,
  renameSync, rmSync, utimesSync, writeSync} from 'node:fs';
import path from 'node:path';
import {adopt, DATABASE} from './surgery.mjs';

/**
 * @typedef {import('node:http').IncomingMessage} Request
 * @typedef {import('node:http').ServerResponse} Response
 * @typedef {import('node:fs').BigIntStats} Stats
 * @typedef {{path: string, size: number, mtime: number}} Head the line before a file's bytes
 * @typedef {{start: number, end: number}} Run
 */

const WORKSPACE = 'workspace';
const PAGE = 4096;
// Whole pages; the worker refuses more at once.
const PART = 4 * 1024 * 1024;
const BLOCK = 1024 * 1024;
// What is kept of a person; the worker counts too, and ends a cell that has more.
const MOST_FILES = 20_000;
const MOST_LEVELS = 64;
// A file that changed a moment ago may change again without its times showing it.
const TICK_NS = 20_000_000n;
// Without waiting, should a pipe stand there.
const READ = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
// Something else stands there by now, or nobody but the system may know what.
const UNREADABLE = new Set(['ENOENT', 'ENAMETOOLONG', 'ELOOP', 'EACCES', 'ENXIO']);
const WRITE = constants.O_WRONLY | constants.O_CREAT | constants.O_TRUNC | constants.O_NOFOLLOW;

export class State {
  #root;
  #generation = 0;
  // Whether the copy of the database is of this generation.
  #isCopied = false;
  /** @type {Map<string, string>} */
  #marks = new Map();

  /** @param {string} root */
  constructor(root) {
    this.#root = root;
  }

  /**
   * @param {number} since
   * @param {Response} response
   */
  async send(since, response) {
    const isKnown = since > 0 && since === this.#generation;
    const before = isKnown ? this.#marks : new Map();
    /** @type {Map<string, string>} */
    const after = new Map();
    // From here on nobody knows the last one any more, should this one break off.
    this.#generation += 1;
    await this.#sendDatabase(isKnown, response);
    for (const name of this.#files()) await this.#sendFile(name, before, after, response);
    this.#marks = after;
    response.end(JSON.stringify({generation: this.#generation}) + '\n');
  }

  /** @param {Request} request */
  async take(request) {
    const incoming = new Incoming(request);
    this.#marks = new Map();
    this.#isCopied = false;
    for (let line = await incoming.line(); line; line = await incoming.line()) {
      const head = JSON.parse(line);
      const full = await this.#takeFile(head, incoming);
      // Nobody else is at work in the cell yet, so these times can be believed at once.
      this.#marks.set(head.path, mark(lstatSync(full, {bigint: true})));
    }
    await adopt(this.#root);
    this.#generation += 1;
    return {generation: this.#generation};
  }

  /**
   * @param {Head} head
   * @param {Incoming} incoming
   */
  async #takeFile({path: name, size, mtime}, incoming) {
    const full = path.resolve(this.#root, name);
    if (!full.startsWith(this.#root + path.sep)) throw new Error('outside of the cell');
    mkdirSync(path.dirname(full), {recursive: true, mode: 0o700});
    const file = openSync(full, WRITE, 0o600);
    try {
      for (let left = size; left > 0;) {
        const part = await incoming.some(left);
        writeWhole(file, part);
        left -= part.length;
      }
    } finally {
      closeSync(file);
    }
    utimesSync(full, mtime, mtime);
    return full;
  }

  /**
   * @param {boolean} isKnown
   * @param {Response} response
   */
  async #sendDatabase(isKnown, response) {
    const hasCopy = isKnown && this.#isCopied;
    this.#isCopied = false;
    const live = this.#at(DATABASE);
    if (!lstatSync(live, {throwIfNoEntry: false})?.isFile()) return;
    const copy = this.#at('state-copy.sqlite');
    const fresh = this.#at('state-copy.new');
    rmSync(fresh, {force: true});
    try {
      await backup(live, fresh);
    } catch (error) {
      // On a full disk half of a copy would keep it full.
      rmSync(fresh, {force: true});
      throw error;
    }
    const file = openSync(fresh, READ);
    try {
      const {size} = fstatSync(file);
      const runs = hasCopy ? changedRuns(copy, file, size) : [{start: 0, end: size}];
      if (!runs.length) await say(response, {path: DATABASE, same: true});
      // Its times say nothing: it is written to beside itself.
      const head = {path: DATABASE, size, mtime: 0};
      for (const {start, end} of runs) await sendPart(response, file, head, start, end);
    } finally {
      closeSync(file);
    }
    renameSync(fresh, copy);
    this.#isCopied = true;
  }

  /**
   * @param {string} name
   * @param {Map<string, string>} before
   * @param {Map<string, string>} after
   * @param {Response} response
   */
  async #sendFile(name, before, after, response) {
    const file = openPlain(this.#at(name));
    if (file === null) return;
    try {
      const stat = fstatSync(file, {bigint: true});
      const isSame = before.get(name) === mark(stat);
      if (isSame || isSettled(stat)) after.set(name, mark(stat));
      if (isSame) {
        await say(response, {path: name, same: true});
        return;
      }
      const size = Number(stat.size);
      const mtime = Math.max(0, Number(stat.mtimeNs / 1_000_000_000n));
      const head = {path: name, size, mtime};
      await sendPart(response, file, head, 0, size);
    } finally {
      closeSync(file);
    }
  }

  // One more than may be kept, so that the worker sees that there are too many.
  *#files() {
    const left = [WORKSPACE];
    let found = 0;
    for (let folder = left.pop(); folder && found <= MOST_FILES; folder = left.pop()) {
      for (const entry of this.#entries(folder)) {
        const name = `${folder}/${entry.name}`;
        if (entry.isDirectory() && name.split('/').length < MOST_LEVELS) left.push(name);
        if (!entry.isFile()) continue;
        yield name;
        if (++found > MOST_FILES) return;
      }
    }
  }

  /**
   * @param {string} folder
   * @returns {Generator<import('node:fs').Dirent>}
   */
  *#entries(folder) {
    let entries;
    try {
      if (!lstatSync(this.#at(folder)).isDirectory()) return;
      entries = opendirSync(this.#at(folder));
    } catch {
      return;
    }
    try {
      for (let entry = entries.readSync(); entry; entry = entries.readSync()) yield entry;
    } finally {
      entries.closeSync();
    }
  }

  /** @param {string} name */
  #at(name) {
    return path.join(this.#root, name);
  }
}

/**
 * Opens a file of the workspace; null for what is none, or has another name somewhere else too: it
 * may be the cell's own configuration, whose tokens are nobody's files.
 * @param {string} full
 */
export function openPlain(full) {
  let file;
  try {
    file = openSync(full, READ);
  } catch (error) {
    if (UNREADABLE.has(/** @type {NodeJS.ErrnoException} */ (error).code ?? '')) return null;
    throw error;
  }
  const stat = fstatSync(file);
  if (stat.isFile() && stat.nlink === 1) return file;
  closeSync(file);
  return null;
}

/** @param {Stats} stat */
function mark(stat) {
  return `${stat.ino} ${stat.size} ${stat.mtimeNs} ${stat.ctimeNs}`;
}

/** @param {Stats} stat */
function isSettled(stat) {
  return BigInt(Date.now()) * 1_000_000n - stat.ctimeNs > TICK_NS;
}

/**
 * A full disk takes a part of what it is given before it refuses the rest.
 * @param {number} file
 * @param {Buffer} bytes
 */
function writeWhole(file, bytes) {
  for (let at = 0; at < bytes.length;) at += writeSync(file, bytes, at);
}

/**
 * Through SQLite, because half of a live database is in its log.
 * @param {string} live
 * @param {string} copy
 */
async function backup(live, copy) {
  const sqlite = await import('node:sqlite');
  const source = new sqlite.DatabaseSync(live, {readOnly: true});
  try {
    await sqlite.backup(source, copy, {rate: 10_000});
  } finally {
    source.close();
  }
}

/**
 * Lists where `file` has other bytes than the copy of it that was sent the last time.
 * @param {string} copy
 * @param {number} file
 * @param {number} size
 */
function changedRuns(copy, file, size) {
  const old = openSync(copy, READ);
  const [one, other] = [Buffer.alloc(BLOCK), Buffer.alloc(BLOCK)];
  /** @type {Run[]} */
  const runs = [];
  try {
    for (let at = 0; at < size; at += BLOCK) {
      const was = one.subarray(0, readSync(old, one, 0, BLOCK, at));
      const is = other.subarray(0, readSync(file, other, 0, BLOCK, at));
      if (was.equals(is)) continue;
      for (let page = 0; page < is.length; page += PAGE) {
        const end = Math.min(page + PAGE, is.length);
        if (was.subarray(page, end).equals(is.subarray(page, end))) continue;
        const last = runs.at(-1);
        if (last?.end === at + page) last.end = at + end;
        else runs.push({start: at + page, end: at + end});
      }
    }
  } finally {
    closeSync(old);
  }
  return runs;
}

/**
 * @param {Response} response
 * @param {number} file
 * @param {Head} head
 * @param {number} start
 * @param {number} end
 */
async function sendPart(response, file, head, start, end) {
  if (start === end) await say(response, {...head, first: 0, bytes: 0});
  for (let at = start; at < end; at += PART) {
    const bytes = Buffer.alloc(Math.min(PART, end - at));
    const read = readSync(file, bytes, 0, bytes.length, at);
    if (read < bytes.length) throw new Error(`${head.path} shrank while it was read`);
    await say(response, {...head, first: at / PAGE, bytes: read}, bytes);
  }
}

/**
 * @param {Response} response
 * @param {object} line
 * @param {Buffer} [bytes]
 */
async function say(response, line, bytes) {
  const isRoomy = response.write(JSON.stringify(line) + '\n');
  if (bytes ? response.write(bytes) : isRoomy) return;
  await new Promise((resolve) => {
    const go = () => resolve(response.off('drain', go).off('close', go));
    response.on('drain', go).on('close', go);
  });
  if (response.destroyed) throw new Error('nobody listens any more');
}

// Lines and bytes from a request, as they are asked for.
class Incoming {
  #chunks;
  /** @type {Buffer} */
  #rest = Buffer.alloc(0);

  /** @param {Request} request */
  constructor(request) {
    this.#chunks = request[Symbol.asyncIterator]();
  }

  async line() {
    let end = this.#rest.indexOf(10);
    while (end < 0) {
      if (!await this.#more()) {
        if (this.#rest.length) throw new Error('the request ended in the middle');
        return null;
      }
      end = this.#rest.indexOf(10);
    }
    return this.#cut(end + 1).toString();
  }

  /** @param {number} most */
  async some(most) {
    if (!this.#rest.length && !await this.#more()) throw new Error('the request ended in the middle');
    return this.#cut(Math.min(most, this.#rest.length));
  }

  async #more() {
    const {value, done} = await this.#chunks.next();
    if (!done) this.#rest = this.#rest.length ? Buffer.concat([this.#rest, value]) : value;
    return !done;
  }

  /** @param {number} length */
  #cut(length) {
    const cut = this.#rest.subarray(0, length);
    this.#rest = this.#rest.subarray(length);
    return cut;
  }
}
