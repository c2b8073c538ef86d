"""Which of OpenClaw's modules a cell loads while it boots and answers, and which the bundles lack.

With --write the list is renewed that the bundles are made by, as an upgrade of OpenClaw needs:
its modules have other names in each version. It takes an installation of its own, not bundled.
"""

import argparse
import os
import re
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path

from bench.first_token import WORDS
from embedded import engine
from embedded.bundling import BUNDLE_DIR
from embedded.stack import Stack
from tests.house import SETTINGS, House, wait_for

LIST = BUNDLE_DIR / "loaded.txt"
MAIN = "entry.js"
# Threads go on loading after the answer.
SETTLE_SECONDS = 15
IMPORTED = re.compile(r'\b(?:from|import)\s*"(\.[^"\n]+\.m?js)"')
# Runs first in OpenClaw and in each of its threads, once what they import is loaded already.
NOTING = """import {appendFileSync} from 'node:fs';
import {registerHooks} from 'node:module';
import {threadId} from 'node:worker_threads';
const dist = new URL('./', import.meta.url).href;
const entry = new URL(import.meta.url).search.slice(1);
const file = `${process.env.OPENCLAW_STATE_DIR}/tmp/loaded-${process.pid}-${threadId}`;
const note = (name) => {
  try {
    appendFileSync(file, `${name}\n`);
  } catch {
    // A helper process may not know the folder.
  }
};
note(entry);
registerHooks({
  load(url, context, next) {
    if (url.startsWith(dist) && !url.includes('?')) note(url.slice(dist.length));
    return next(url, context);
  },
});
"""


def main(arguments: list[str]) -> int:
    """Boot, ask, and print what was loaded; return 1 when the bundles lack any of it."""
    parser = argparse.ArgumentParser(prog="bench loaded")
    parser.add_argument("--write", action="store_true", help="renew the list")
    is_written = parser.parse_args(arguments).write
    os.environ.update(DEMO_MODEL_SCRIPTABLE="1")  # noqa: TID251  # as for a stack of tests
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        engine_dir = Path(folder) / "engine"
        installed = engine.install(engine_dir, print, is_bundled=False)
        dist = installed.resolve() / "node_modules/openclaw/dist"
        plant(dist)
        threads = loaded(Path(folder) / "data", engine_dir)
        roots = {entry: Modules(dist).roots(entry, names) for entry, names in threads.items()}
    lacking = _lacking(roots)
    for entry, names in roots.items():
        print(f"{entry:<50}{len(threads[entry]):6} loaded late, {len(names):4} of them to name")
    print(f"the list lacks {len(lacking)}", *lacking[:20], sep="\n    ")
    if is_written:
        LIST.write_text("".join(f"{entry}:\n{_lines(names)}" for entry, names in roots.items()))
    return 1 if lacking and not is_written else 0


def plant(dist: Path) -> None:
    """Have OpenClaw in `dist`, and each kind of its threads, note what it loads."""
    (dist / "noting.mjs").write_text(NOTING)
    for file in (dist / MAIN, *dist.rglob("*.worker.js")):
        entry = file.relative_to(dist).as_posix()
        up = "../" * entry.count("/") or "./"
        head, line, body = file.read_text().partition("\n")
        noting = f"import '{up}noting.mjs?{entry}';"
        # A first line for the shell must stay the first.
        parts = (head, noting, body) if head.startswith("#!") else (noting, head, body)
        file.write_text("\n".join(parts) if line else f"{noting}\n{head}")


def loaded(data_dir: Path, engine_dir: Path) -> dict[str, list[str]]:
    """Boot, have two questions answered, and return by its start what each thread loaded."""
    with Stack(data_dir, settings=SETTINGS, engine_dir=engine_dir, is_kept=False) as stack:
        house = House(stack)
        wait_for(house.is_ready, "the product to be ready", seconds=240)
        one = house.person("Noted")
        for words in (WORDS, '[[demo: tool write {"path": "a.md", "content": "a"}]]'):
            one.wait_until_saved(one.ask_and_wait(words).job)
        time.sleep(SETTLE_SECONDS)
        notes = stack.cells_dir("worker").rglob("state/tmp/loaded-*")
        found = _by_entry(note.read_text().splitlines() for note in sorted(notes))
        house.close()
    return found


class Modules:
    """The modules in a folder and what they import."""

    def __init__(self, dist: Path) -> None:
        self._dist = dist

    def roots(self, entry: str, names: Iterable[str]) -> list[str]:
        """Return those of `names` that come along with neither `entry` nor a name before them."""
        known, found = set[str](), list[str]()
        self._add(known, entry)
        for name in names:
            if name not in known and name.endswith((".js", ".mjs")):
                found.append(name)
                self._add(known, name)
        return found

    def _add(self, known: set[str], name: str) -> None:
        waiting = [name]
        while waiting:
            one = waiting.pop()
            if one not in known:
                known.add(one)
                waiting += self._imports(one)

    def _imports(self, name: str) -> list[str]:
        targets = IMPORTED.findall((self._dist / name).read_text())
        return [os.path.normpath(Path(name).parent / target) for target in targets]


def _by_entry(notes: Iterable[list[str]]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for entry, *names in notes:
        found.setdefault(entry, []).extend(names)
    # The main thread first, then the rest by name.
    return {entry: found[entry] for entry in sorted(found, key=lambda one: (one != MAIN, one))}


def _lacking(roots: dict[str, list[str]]) -> list[str]:
    known = set(LIST.read_text().splitlines())
    return [
        f"{entry} {name}"
        for entry, names in roots.items()
        for name in (f"{entry}:", *names)
        if name not in known
    ]


def _lines(names: Iterable[str]) -> str:
    return "".join(f"{name}\n" for name in names)
