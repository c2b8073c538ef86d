// Puts the thousands of modules that a cell loads into a few files: node bundle.mjs ENGINE_FOLDER
//
// One is for OpenClaw itself, which dist/cell.mjs starts, and one for each kind of worker thread
// that it starts by its file: there is nothing that threads could share. What is in no bundle
// stays where it is.
import {readFileSync, realpathSync, rmSync, writeFileSync} from 'node:fs';
import path from 'node:path';
import {fileURLToPath} from 'node:url';
import {build} from 'esbuild';
import {changing} from './changes.mjs';
import {nameOf, plugins} from './plugins.mjs';

// esbuild tells us of files by their real paths.
const dist = path.join(realpathSync(process.argv[2]), 'node_modules/openclaw/dist');
const START = fileURLToPath(new URL('modules.mjs', import.meta.url));
const LOADED = new URL('loaded.txt', import.meta.url);
const MAIN = 'entry.js';

// OpenClaw runs only what it was started by, and tells its helpers where that is.
const CELL = `import {fileURLToPath} from 'node:url';
import {load} from './${bundleOf(MAIN)}.mjs';
process.argv[1] = fileURLToPath(new URL('../openclaw.mjs', import.meta.url));
load('${MAIN}');
`;

const shared = {
  bundle: true,
  format: 'esm',
  platform: 'node',
  target: 'node24',
  // Names and syntax stay, for OpenClaw tells errors apart by them.
  minifyWhitespace: true,
  // What is beyond ASCII would double the memory that the text takes.
  charset: 'ascii',
  logLevel: 'error',
  absWorkingDir: dist,
  outdir: dist,
  outExtension: {'.js': '.mjs'},
  banner: {
    js: "import {createRequire as cellRequire} from 'node:module'; const require = cellRequire(import.meta.url);",
  },
};

// What each thread starts with, and the modules that it loads late, or by a path that OpenClaw
// works out: a line that ends with a colon, and the lines after it.
function read(text) {
  const threads = new Map();
  for (const line of text.split('\n').filter(Boolean)) {
    if (line.endsWith(':')) threads.set(line.slice(0, -1), [line.slice(0, -1)]);
    else [...threads.values()].at(-1).push(line);
  }
  return threads;
}

// These modules of dist and all that they import, as long as it is not put off by an import().
function closure(names) {
  const found = new Set();
  const waiting = [...names];
  for (let name = waiting.pop(); name; name = waiting.pop()) {
    if (found.has(name)) continue;
    found.add(name);
    const text = readFileSync(path.join(dist, name), 'utf8');
    for (const [, target] of text.matchAll(/\b(?:from|import)\s*"(\.[^"\n]+\.m?js)"/g)) {
      waiting.push(nameOf(dist, path.join(dist, path.dirname(name), target)));
    }
  }
  return found;
}

function bundleOf(entry) {
  return `cell-${path.basename(entry, '.js').replaceAll('.', '-')}`;
}

function startOf(entry) {
  const up = '../'.repeat(entry.split('/').length - 1) || './';
  return `import {load} from '${up}${bundleOf(entry)}.mjs';\nload(${JSON.stringify(entry)});\n`;
}

const threads = read(readFileSync(LOADED, 'utf8'));
for (const [entry, names] of threads) {
  const {change, check} = changing();
  await build({
    ...shared,
    entryPoints: [{in: START, out: bundleOf(entry)}],
    plugins: plugins(dist, START, closure(names), change),
  });
  if (entry === MAIN) check();
}
for (const entry of threads.keys()) {
  if (entry === MAIN) continue;
  // Removed first, for a copy of the folder may share the file.
  rmSync(path.join(dist, entry));
  writeFileSync(path.join(dist, entry), startOf(entry));
}
// At last: it is what tells that all of this is there.
writeFileSync(path.join(dist, 'cell.mjs'), CELL);
