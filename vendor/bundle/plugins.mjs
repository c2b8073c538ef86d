// What esbuild is told about OpenClaw's modules, so that in one file they do as they did in many.
import {readFile} from 'node:fs/promises';
import path from 'node:path';

// A module has our changes in it; and one that reads files beside itself goes on finding them where
// it was.
const adapted = (dist, start, change) => ({
  name: 'adapted',
  setup({onLoad}) {
    onLoad({filter: /\.m?js$/}, async ({path: file}) => {
      const theirs = await readFile(file, 'utf8');
      const text = change(theirs);
      const isPlaced = text.includes('import.meta') && file !== start;
      if (text === theirs && !isPlaced) return undefined;
      return {contents: isPlaced ? placed(text, nameOf(dist, file)) : text, loader: 'js'};
    });
  },
});

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
const putOff = (dist, names) => ({
  name: 'put off',
  setup({onResolve}) {
    onResolve({filter: /^\./}, ({path: target, kind, resolveDir}) => {
      const name = nameOf(dist, path.resolve(resolveDir, target));
      if (kind !== 'dynamic-import' || name.startsWith('..') || names.has(name)) return undefined;
      return {path: `./${name}`, external: true};
    });
  },
});

// The list that modules.mjs imports: each module's name in dist, and what loads it.
const listed = (dist, names) => ({
  name: 'listed',
  setup({onLoad, onResolve}) {
    const whole = {contents: list([...names].sort()), resolveDir: dist};
    onResolve({filter: /^cell:modules$/}, () => ({path: 'modules', namespace: 'listed'}));
    onLoad({filter: /.*/, namespace: 'listed'}, () => whole);
  },
});

function list(names) {
  const lines = names.map((name) => {
    const quoted = JSON.stringify(name);
    return `${quoted}: () => require(${JSON.stringify(`./${name}`)}),`;
  });
  return `export const modules = {\n${lines.join('\n')}\n};`;
}

// A module's name is its path in dist.
export function nameOf(dist, file) {
  return path.relative(dist, file).split(path.sep).join('/');
}

// `change` is given each module's text and returns what is used in its stead.
export function plugins(dist, start, names, change) {
  return [listed(dist, names), putOff(dist, names), leftOut, adapted(dist, start, change)];
}
