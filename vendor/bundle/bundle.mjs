// Puts the thousands of modules that a cell loads into one file: node bundle.mjs ENGINE_FOLDER
//
// dist/cell.mjs starts OpenClaw out of dist/cell-modules.mjs. Nothing else changes: what is in no
// bundle, like the workers that run in threads of their own, stays where it is.
import {readFileSync, writeFileSync} from 'node:fs';
import {readFile} from 'node:fs/promises';
import path from 'node:path';
import {fileURLToPath} from 'node:url';
import {build} from 'esbuild';

const dist = path.resolve(process.argv[2], 'node_modules/openclaw/dist');
const START = fileURLToPath(new URL('modules.mjs', import.meta.url));
// What a booting and answering cell loads late, or by a path that OpenClaw works out.
const LOADED = new URL('loaded.txt', import.meta.url);

// OpenClaw runs only what it was started by, and tells its helpers where that is.
const CELL = `import {fileURLToPath} from 'node:url';
import {load} from './cell-modules.mjs';
process.argv[1] = fileURLToPath(new URL('../openclaw.mjs', import.meta.url));
load('entry.js');
`;

// A module that reads files beside itself must go on finding them where it was.
const itsOwnPlace = {
  name: 'its own place',
  setup({onLoad}) {
    onLoad({filter: /\.m?js$/}, async ({path: file}) => {
      const text = await readFile(file, 'utf8');
      if (!text.includes('import.meta') || file === START) return undefined;
      return {contents: placed(text, nameOf(file)), loader: 'js'};
    });
  },
};

function placed(text, name) {
  const place = JSON.stringify(name.split('/').map(encodeURIComponent).join('/'));
  const head = [
    "import {fileURLToPath as cellPath} from 'node:url';",
    "const cellAt = import.meta.url.lastIndexOf('/dist/') + '/dist/'.length;",
    `const cellUrl = new URL(${place}, import.meta.url.slice(0, cellAt)).href;`,
    "const cellFilename = cellPath(cellUrl), cellDirname = cellPath(new URL('.', cellUrl)).slice(0, -1);",
  ];
  const known = {url: 'cellUrl', filename: 'cellFilename', dirname: 'cellDirname'};
  const body = text.replace(/^#!.*/, '');
  const own = body.replace(/\bimport\.meta\.(url|filename|dirname)\b/g, (_, word) => known[word]);
  return head.join('') + own;
}

// Packages that we leave out are looked for only where something needs them: it fails there as it
// would have, and not when the bundle starts.
const leftOut = {
  name: 'left out',
  setup({onLoad, onResolve, resolve}) {
    onResolve({filter: /^[^./]/}, async ({path: name, pluginData, kind, importer, resolveDir}) => {
      if (pluginData === 'asked' || name.startsWith('node:')) return undefined;
      const found = await resolve(name, {kind, importer, resolveDir, pluginData: 'asked'});
      return found.errors.length ? {path: name, namespace: 'left-out'} : found;
    });
    onLoad({filter: /.*/, namespace: 'left-out'}, ({path: name}) => ({contents: failing(name)}));
  },
};

function failing(name) {
  const message = JSON.stringify(`Cannot find package '${name}'`);
  return `module.exports = {}; throw Object.assign(new Error(${message}), {code: 'ERR_MODULE_NOT_FOUND'});`;
}

// What a cell does not load stays where it is, until somebody needs it after all.
const putOff = (names) => ({
  name: 'put off',
  setup({onResolve}) {
    onResolve({filter: /^\./}, ({path: target, kind, resolveDir}) => {
      const name = nameOf(path.resolve(resolveDir, target));
      if (kind !== 'dynamic-import' || name.startsWith('..') || names.has(name)) return undefined;
      return {path: `./${name}`, external: true};
    });
  },
});

// The list that modules.mjs imports: each module's name in dist, and what loads it.
const listed = (names) => ({
  name: 'listed',
  setup({onLoad, onResolve}) {
    onResolve({filter: /^cell:modules$/}, () => ({path: 'modules', namespace: 'listed'}));
    onLoad({filter: /.*/, namespace: 'listed'}, () => ({contents: list(names), resolveDir: dist}));
  },
});

function list(names) {
  const lines = names.map((name) => {
    const quoted = JSON.stringify(name);
    return `${quoted}: () => require(${JSON.stringify(`./${name}`)}),`;
  });
  return `export const modules = {\n${lines.join('\n')}\n};`;
}

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

function nameOf(file) {
  return path.relative(dist, file).split(path.sep).join('/');
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
      waiting.push(nameOf(path.join(dist, path.dirname(name), target)));
    }
  }
  return found;
}

const names = closure(readFileSync(LOADED, 'utf8').split('\n').filter(Boolean));
await build({
  ...shared,
  entryPoints: [{in: START, out: 'cell-modules'}],
  plugins: [listed([...names].sort()), putOff(names), leftOut, itsOwnPlace],
});
writeFileSync(path.join(dist, 'cell.mjs'), CELL);
