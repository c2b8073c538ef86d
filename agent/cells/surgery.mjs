// Changes in a person's database that OpenClaw has no way to make: taking over what was saved when
// the agent had another name, and forgetting a conversation so that no page keeps a word of it.
// OpenClaw is not at work on the database meanwhile.
import {lstatSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync} from 'node:fs';
import path from 'node:path';
import zlib from 'node:zlib';

/** @typedef {import('node:sqlite').DatabaseSync} Database */
/** @typedef {{table: string, columns: string[]}} Table */

export const DATABASE = 'agents/main/agent/openclaw-agent.sqlite';
const [AGENT, DATABASE_BEFORE, AGENT_BEFORE] = ['main', 'agents/tenant/agent/openclaw-agent.sqlite', 'tenant'];
const WORKSPACE = 'workspace';
const UPLOADS = `${WORKSPACE}/uploads`;
// The names of older sessions stand in these fields, whatever the table.
const KEYS = /(^|_)(session_key|spawned_by)$/;
// What a first message told of other conversations; each exchange ends its heading with a mark.
const EARLIER = /<earlier (\w{1,64})>\n/g;
const EARLIER_END = /\n<\/earlier (\w{1,64})>/g;
const EXCHANGE = /^### [^]*?(?=^### |(?![^]))/gm;
// A note in MEMORY.md, and in what a search has found.
const NOTE = /^- (?:note )?#(\d{1,9})(?:,| \(\d{4}-\d\d-\d\d\)) /;
// Where a conversation was told of others, of what a search has found, or of MEMORY.md.
const TOLD = ['<earlier ', '<said-', '# Memory'];
// USER.md had it once.
const [LATELY, LATELY_END] = ['\n## Lately, in other conversations\n', '\n<!-- kept by the service: end -->'];

/**
 * Lets the database belong to the agent of today.
 * @param {string} root
 */
export async function adopt(root) {
  const [before, now] = [path.join(root, DATABASE_BEFORE), path.join(root, DATABASE)];
  if (!isFile(before)) return;
  mkdirSync(path.dirname(now), {recursive: true, mode: 0o700});
  renameSync(before, now);
  await change(now, (database) => {
    const [was, is] = [`agent:${AGENT_BEFORE}:`, `agent:${AGENT}:`];
    const valid = keysOf(database, 'session_nodes WHERE entry_valid = 1');
    const pending = keysOf(database, 'session_canonical_validation_pending');
    for (const {table, columns} of tablesOf(database)) {
      for (const column of columns) {
        const name = `"${table}" SET "${column}"`;
        if (column === 'agent_id') run(database, `UPDATE ${name} = ? WHERE agent_id = ?`, AGENT, AGENT_BEFORE);
        if (!KEYS.test(column)) continue;
        run(database, `UPDATE ${name} = ? || substr("${column}", ?) WHERE "${column}" GLOB ?`, is, was.length + 1, `${was}*`);
      }
    }
    run(database, 'UPDATE session_nodes SET entry_json = replace(entry_json, ?, ?)', `:"${was}`, `:"${is}`);
    // Triggers have noted that all this is to be looked at; OpenClaw would ask for a repair by hand.
    /** @param {string} key */
    const renamed = (key) => key.startsWith(was) ? is + key.slice(was.length) : key;
    for (const key of valid) run(database, 'UPDATE session_nodes SET entry_valid = 1 WHERE session_key = ?', renamed(key));
    database.exec('DELETE FROM session_canonical_validation_pending');
    for (const key of pending) run(database, 'INSERT INTO session_canonical_validation_pending VALUES (?)', renamed(key));
  });
}

/**
 * Takes out conversations, their uploads, files, and what other conversations were told of them; and
 * what they were told of notes but those with these numbers, or of none when there are no numbers.
 * @param {string} root
 * @param {{conversations: string[], uploads: string[], paths: string[], notes: number[] | null}} gone
 */
export async function forget(root, {conversations, uploads, paths, notes}) {
  const workspace = path.join(root, WORKSPACE) + path.sep;
  for (const name of paths) {
    const full = path.resolve(workspace, name);
    if (full.startsWith(workspace) && isFile(full)) rmSync(full, {force: true});
  }
  for (const name of filesIn(path.join(root, UPLOADS))) {
    if (uploads.some((start) => name.startsWith(start))) rmSync(path.join(root, UPLOADS, name), {force: true});
  }
  const user = path.join(root, 'workspace/USER.md');
  if (isFile(user)) writeFileSync(user, withoutLately(readFileSync(user, 'utf8')));
  const full = path.join(root, DATABASE);
  if (!isFile(full)) return;
  await change(full, (database) => {
    const tables = tablesOf(database);
    for (const id of conversations) {
      const key = `agent:${AGENT}:${id}`;
      for (const session of sessionsOf(database, key)) erase(database, tables, 'session_id', session);
      erase(database, tables, 'session_key', key);
    }
    const marks = conversations.map((id) => ` (#${id.replaceAll('-', '').slice(-8)})`);
    for (const table of ['transcript_events', 'session_transcript_fts']) scrub(database, table, marks, notes ?? null);
    // Its index would keep words until it is merged some day.
    database.exec("INSERT INTO session_transcript_fts(session_transcript_fts) VALUES('rebuild')");
  });
}

/**
 * One transaction, after which no page is left that is not in use.
 * @param {string} full
 * @param {(database: Database) => void} work
 */
async function change(full, work) {
  const {DatabaseSync} = await import('node:sqlite');
  const database = new DatabaseSync(full, {enableForeignKeyConstraints: false});
  try {
    database.exec('PRAGMA secure_delete = ON; BEGIN IMMEDIATE');
    work(database);
    database.exec('COMMIT; VACUUM; PRAGMA wal_checkpoint(TRUNCATE)');
  } finally {
    database.close();
  }
}

/**
 * @param {Database} database
 * @returns {Table[]}
 */
function tablesOf(database) {
  const found = database.prepare(`SELECT name FROM pragma_table_list
    WHERE schema = 'main' AND type = 'table' AND name NOT LIKE 'sqlite~_%' ESCAPE '~'`).all();
  return found.map(({name}) => ({
    table: String(name),
    columns: database.prepare('SELECT name FROM pragma_table_info(?)').all(String(name)).map((one) => String(one.name)),
  }));
}

/**
 * @param {Database} database
 * @param {string} rows
 */
function keysOf(database, rows) {
  return database.prepare(`SELECT session_key AS key FROM ${rows}`).all().map(({key}) => String(key));
}

/**
 * @param {Database} database
 * @param {string} key
 */
function sessionsOf(database, key) {
  return database.prepare(`SELECT session_id AS id FROM session_windows WHERE session_key = ?1
    UNION SELECT current_session_id FROM session_nodes WHERE session_key = ?1`).all(key).map(({id}) => String(id));
}

/**
 * @param {Database} database
 * @param {Table[]} tables
 * @param {string} column
 * @param {string} value
 */
function erase(database, tables, column, value) {
  for (const {table, columns} of tables) {
    if (columns.includes(column)) run(database, `DELETE FROM "${table}" WHERE "${column}" = ?`, value);
  }
}

/**
 * Takes exchanges with one of `marks`, and notes that are not `kept`, out of what was told to
 * conversations that go on.
 * @param {Database} database
 * @param {string} table
 * @param {string[]} marks
 * @param {number[] | null} kept
 */
function scrub(database, table, marks, kept) {
  /** @param {string} text */
  const clean = (text) => withoutLines(without(text, marks), marks, kept);
  const isIndex = table === 'session_transcript_fts';
  const rows = database.prepare(`SELECT rowid AS id, * FROM "${table}"`);
  /** @type {[id: number, text: string][]} */
  const changed = [];
  for (const row of rows.iterate()) {
    const text = isIndex ? /** @type {string} */ (row.text) : jsonOf(row);
    if (!text || !TOLD.some((sign) => text.includes(sign))) continue;
    const left = isIndex ? clean(text) : JSON.stringify(JSON.parse(text, (_, value) =>
      typeof value === 'string' ? clean(value) : value));
    if (left !== text) changed.push([Number(row.id), left]);
  }
  for (const [id, text] of changed) {
    if (isIndex) run(database, 'UPDATE session_transcript_fts SET text = ? WHERE rowid = ?', text, id);
    else run(database, `UPDATE transcript_events SET event_json = ?, event_zstd = NULL,
      navigation_json = NULL, event_utf8_bytes = ? WHERE rowid = ?`, text, Buffer.byteLength(text), id);
  }
}

/** @param {any} row of transcript_events */
function jsonOf({event_json: text, event_zstd: packed}) {
  return text ?? zlib.zstdDecompressSync(packed).toString();
}

/**
 * Whoever wrote the text may have made it long and full of beginnings: each part is read once.
 * @param {string} text
 * @param {string[]} marks
 */
export function without(text, marks) {
  /** @type {Map<string, {index: number, after: number}[]>} */
  const ends = new Map();
  for (const {index, 0: {length}, 1: mark} of text.matchAll(EARLIER_END)) {
    const found = ends.get(mark) ?? [];
    found.push({index, after: index + length});
    ends.set(mark, found);
  }
  for (const found of ends.values()) found.reverse();
  const kept = [];
  let done = 0;
  for (const {index, 0: {length}, 1: mark} of text.matchAll(EARLIER)) {
    if (index < done) continue;
    const [open, left] = [index + length, ends.get(mark) ?? []];
    let end = left.at(-1);
    for (; end && end.index < open; end = left.at(-1)) left.pop();
    if (!end) continue;
    const told = withoutExchanges(text.slice(open, end.index), marks);
    kept.push(text.slice(done, index), `<earlier ${mark}>\n${told.trimEnd()}\n</earlier ${mark}>`);
    done = end.after;
  }
  return kept.join('') + text.slice(done);
}

/**
 * @param {string} told
 * @param {string[]} marks
 */
function withoutExchanges(told, marks) {
  return told.replace(EXCHANGE, (one) => {
    const heading = one.split('\n', 1)[0];
    return marks.some((gone) => heading.endsWith(gone)) ? '' : one;
  });
}

/**
 * Takes out lines that a search found in conversations with one of `marks`, and notes.
 * @param {string} text
 * @param {string[]} marks
 * @param {number[] | null} kept
 */
export function withoutLines(text, marks, kept) {
  if (!text.includes('<said-') && !text.includes('# Memory')) return text;
  return text.split('\n').filter((line) => {
    const number = NOTE.exec(line)?.[1];
    const isGone = kept !== null && number !== undefined && !kept.includes(Number(number));
    return !isGone && !(line.startsWith('- ') && marks.some((mark) => line.endsWith(mark)));
  }).join('\n');
}

/** @param {string} text */
export function withoutLately(text) {
  let start = text.indexOf(LATELY);
  const end = start < 0 ? -1 : text.indexOf(LATELY_END, start + LATELY.length);
  if (end < 0) return text;
  while (text[start - 1] === '\n') start -= 1;
  return text.slice(0, start) + text.slice(end);
}

/**
 * @param {Database} database
 * @param {string} statement
 * @param {(string | number)[]} values
 */
function run(database, statement, ...values) {
  database.prepare(statement).run(...values);
}

/** @param {string} name */
function isFile(name) {
  return lstatSync(name, {throwIfNoEntry: false})?.isFile() ?? false;
}

/** @param {string} folder */
function filesIn(folder) {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}
