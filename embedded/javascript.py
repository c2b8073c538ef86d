"""The tools that check the JavaScript and build the styles: npm's packages, pinned in assets/.

They are installed into assets/node_modules when their lock or Node has changed; the product itself
runs without them.
"""

import fcntl
import hashlib
import os
import subprocess
from collections.abc import Callable, Sequence

from embedded.engine import PROJECT_DIR
from embedded.environ import environ
from embedded.errors import CannotStart
from embedded.programs import node_path, npm_script

ASSETS_DIR = PROJECT_DIR / "assets"
MODULES_DIR = ASSETS_DIR / "node_modules"
STAMP = MODULES_DIR / ".installed"
NPM_FLAGS = ("--ignore-scripts", "--no-audit", "--no-fund")
# A program of npm's, by where its script is, and what it is told.
PROGRAMS = {"eslint": "eslint/bin/eslint.js", "tsc": "typescript/bin/tsc"}
LINTERS = (
    (
        *("eslint", "--config", "assets/eslint.config.mjs", "--max-warnings", "0"),
        *("assets", "webapp/static", "agent", "embedded"),
    ),
    ("tsc", "-p", "assets/tsconfig.json"),
    ("tsc", "-p", "assets/tsconfig.node.json"),
    ("node", "assets/build.mjs", "--check"),
)


def ensure_tools(say: Callable[[str], None]) -> None:
    """Install the tools unless those that are pinned are there. Raises CannotStart."""
    wanted = _stamp()
    ASSETS_DIR.mkdir(exist_ok=True)
    folder = os.open(ASSETS_DIR, os.O_RDONLY)
    try:
        # One installs, and whoever comes meanwhile waits for it.
        fcntl.flock(folder, fcntl.LOCK_EX)
        if STAMP.exists() and STAMP.read_text() == wanted:
            return
        say("installing the tools for JavaScript (once; later runs take seconds)")
        _npm_ci()
        STAMP.write_text(wanted)
    finally:
        os.close(folder)


def command_line(command: Sequence[str]) -> list[str]:
    """Return how to run one of the linters."""
    program, *rest = command
    script = [str(MODULES_DIR / PROGRAMS[program])] if program in PROGRAMS else []
    return [str(node_path()), *script, *rest]


def _npm_ci() -> None:
    done = subprocess.run(
        [str(node_path()), str(npm_script()), "ci", *NPM_FLAGS],
        cwd=ASSETS_DIR,
        env=_environment(),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise CannotStart(f"npm could not install the tools for JavaScript: {done.stderr[-300:]}")


def _environment() -> dict[str, str]:
    # npm's scripts look for `node` on PATH.
    environment = environ()
    environment["PATH"] = f"{node_path().parent}{os.pathsep}{environment.get('PATH', '')}"
    return environment


def _stamp() -> str:
    """Return what an installation depends on."""
    lock = hashlib.sha256((ASSETS_DIR / "package-lock.json").read_bytes()).hexdigest()
    return f"{lock} {node_path()}\n"
