// Runs the modules of one of OpenClaw's threads out of the file that bundle.mjs puts this into.
//
// OpenClaw also loads modules by paths that it works out while it runs. Such a path leads to the
// copy in this file, where there is one: two copies of a module would not know of each other.
import {registerHooks} from 'node:module';
import {modules} from 'cell:modules';

const dist = new URL('./', import.meta.url).href;
const KEY = 'shellmate.modules';

export function load(name) {
  return modules[name]();
}

function facade(name) {
  const words = Object.keys(load(name)).filter((word) => word !== '__esModule');
  const lines = words.map((word, at) => {
    const quoted = JSON.stringify(word);
    return `const x${at} = it[${quoted}]; export {x${at} as ${quoted}};`;
  });
  return [`const it = globalThis[Symbol.for('${KEY}')](${JSON.stringify(name)});`, ...lines].join('\n');
}

globalThis[Symbol.for(KEY)] = load;
registerHooks({
  load(url, context, next) {
    const name = url.startsWith(dist) ? url.slice(dist.length) : '';
    if (!Object.hasOwn(modules, name)) return next(url, context);
    return {format: 'module', shortCircuit: true, source: facade(name)};
  },
});
