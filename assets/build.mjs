// Makes everything in webapp/static that is not written by hand, and the icon macros.
// Run by `npm run build`; its output is committed, so running the product needs no Node for this.
import { execFileSync } from "node:child_process";
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { Resvg } from "@resvg/resvg-js";

const here = dirname(fileURLToPath(import.meta.url));
const modules = join(here, "node_modules");
const site = join(here, "..", "webapp");
const out = join(site, "static");

const COPIES = {
  "htmx.org/dist/htmx.min.js": "vendor/htmx-2.0.11.min.js",
  "htmx-ext-sse/dist/sse.min.js": "vendor/htmx-ext-sse-2.2.4.min.js",
  "idiomorph/dist/idiomorph-ext.min.js": "vendor/idiomorph-0.8.0.min.js",
  "@fontsource-variable/figtree/files/figtree-latin-wght-normal.woff2":
    "fonts/figtree-5.3.0-latin.woff2",
  "@fontsource-variable/figtree/files/figtree-latin-ext-wght-normal.woff2":
    "fonts/figtree-5.3.0-latin-ext.woff2",
  "@fontsource-variable/bricolage-grotesque/files/bricolage-grotesque-latin-wght-normal.woff2":
    "fonts/bricolage-5.3.0-latin.woff2",
};

// Names of Lucide icons that templates use.
const ICONS = JSON.parse(readFileSync(join(here, "icons.json"), "utf8"));

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
    join(site, "templates", "_icons.html"),
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

function buildStyles() {
  const cli = join(modules, "@tailwindcss", "cli", "dist", "index.mjs");
  const files = ["-i", join(here, "app.css"), "-o", join(out, "app.css")];
  execFileSync(process.execPath, [cli, ...files, "--minify"], { cwd: here, stdio: "inherit" });
}

copyVendored();
writeIcons();
drawPictures();
buildStyles();
