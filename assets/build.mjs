// Makes everything in webapp/static that is not written by hand, and the icon macros.
// Run by `npm run build`; its output is committed, so running the product needs no Node for this.
// What was made of what is noted in manifest.json, which a test compares with the files. With
// `--check` nothing is written but the styles anew, aside: they must be those that are committed.
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { Resvg } from "@resvg/resvg-js";

const here = dirname(fileURLToPath(import.meta.url));
const modules = join(here, "node_modules");
const site = join(here, "..", "webapp");
const out = join(site, "static");
const icons = join(site, "templates", "_icons.html");

const COPIES = {
  "htmx.org/dist/htmx.min.js": "vendor/htmx-2.0.11.min.js",
  "@fontsource-variable/figtree/files/figtree-latin-wght-normal.woff2":
    "fonts/figtree-5.3.0-latin.woff2",
  "@fontsource-variable/figtree/files/figtree-latin-ext-wght-normal.woff2":
    "fonts/figtree-5.3.0-latin-ext.woff2",
  "@fontsource-variable/bricolage-grotesque/files/bricolage-grotesque-latin-wght-normal.woff2":
    "fonts/bricolage-5.3.0-latin.woff2",
};

// Names of Lucide icons that templates use.
/** @type {string[]} */
const ICONS = JSON.parse(readFileSync(join(here, "icons.json"), "utf8"));

/** @type {[from: string, to: string, width: number][]} */
const PICTURES = [
  ["favicon.svg", "icons/icon-192.png", 192],
  ["favicon.svg", "icons/icon-512.png", 512],
  ["maskable.svg", "icons/maskable-512.png", 512],
  ["maskable.svg", "icons/apple-touch-icon.png", 180],
];

function copyVendored() {
  for (const [from, to] of Object.entries(COPIES)) {
    mkdirSync(dirname(join(out, to)), { recursive: true });
    copyFileSync(join(modules, from), join(out, to));
  }
}

/** @param {string} name */
function shapeOf(name) {
  const svg = readFileSync(join(modules, "lucide-static", "icons", `${name}.svg`), "utf8");
  return svg
    .slice(svg.indexOf(">", svg.indexOf("<svg")) + 1, svg.lastIndexOf("</svg>"))
    .replace(/\s+/g, " ")
    .replace(/> </g, "><")
    .trim();
}

function writeIcons() {
  const shapes = ICONS.map((name) => `  "${name}": '${shapeOf(name)}',`).join("\n");
  writeFileSync(
    icons,
    `{# Made by assets/build.mjs from assets/icons.json (Lucide, ISC licence): do not edit. #}
{% set shapes = {
${shapes}
} %}
{% macro icon(name, class="size-5") -%}
<svg class="{{ class }} shrink-0" viewBox="0 0 24 24" fill="none" stroke="currentColor" stroke-width="1.75" stroke-linecap="round" stroke-linejoin="round" aria-hidden="true" focusable="false">{{ shapes[name] | safe }}</svg>
{%- endmacro %}
`,
  );
}

function drawPictures() {
  mkdirSync(join(out, "icons"), { recursive: true });
  copyFileSync(join(here, "favicon.svg"), join(out, "icons", "favicon.svg"));
  for (const [from, to, width] of PICTURES) {
    const svg = readFileSync(join(here, from));
    const drawn = new Resvg(svg, { fitTo: { mode: "width", value: width } });
    writeFileSync(join(out, to), drawn.render().asPng());
  }
}

/** @param {string} target */
function buildStyles(target) {
  const cli = join(modules, "@tailwindcss", "cli", "dist", "index.mjs");
  const files = ["-i", join(here, "app.css"), "-o", target];
  execFileSync(process.execPath, [cli, ...files, "--minify"], { cwd: here, stdio: ["ignore", "ignore", "pipe"] });
}

// What decides how the output looks. Which classes the templates use does too: see `--check`.
const SOURCES = [
  ...["app.css", "chat.css", "prose.css", "icons.json", "favicon.svg", "maskable.svg"],
  ...["build.mjs", "package.json", "package-lock.json"],
];

/** @param {string[]} files */
function hashes(files) {
  /** @param {string} file */
  const hash = (file) => createHash("sha256").update(readFileSync(file)).digest("hex");
  return Object.fromEntries(files.map((file) => [relative(join(here, ".."), file), hash(file)]));
}

function writeManifest() {
  const pictures = ["icons/favicon.svg", ...PICTURES.map(([, to]) => to)];
  const made = ["app.css", ...Object.values(COPIES), ...pictures].map((name) => join(out, name));
  const manifest = {
    sources: hashes(SOURCES.map((name) => join(here, name))),
    made: hashes([...made, icons]),
  };
  writeFileSync(join(here, "manifest.json"), `${JSON.stringify(manifest, null, 2)}\n`);
}

// The styles hold the classes that the templates use today.
function checkStyles() {
  const folder = mkdtempSync(join(tmpdir(), "styles-"));
  try {
    const fresh = join(folder, "app.css");
    buildStyles(fresh);
    if (readFileSync(fresh).equals(readFileSync(join(out, "app.css")))) return;
    process.stderr.write("webapp/static/app.css is not what the templates need: run `make css`\n");
    process.exitCode = 1;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

if (process.argv.includes("--check")) {
  checkStyles();
} else {
  copyVendored();
  writeIcons();
  drawPictures();
  buildStyles(join(out, "app.css"));
  writeManifest();
}
