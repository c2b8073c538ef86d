"""Runs every linter and says at the end which ones object (`make lint`)."""

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from embedded import javascript
from embedded.engine import PROJECT_DIR
from embedded.errors import CannotStart

BIN_DIR = Path(sys.prefix) / "bin"
LINTERS = (
    ("ruff", "check", "."),
    ("ruff", "format", "--check", "."),
    ("basedpyright",),
    ("lint-imports",),
    ("djlint", "webapp/templates", "--check", "--quiet"),
    ("djlint", "webapp/templates", "--lint", "--quiet"),
)


def run_linters() -> list[str]:
    """Run them all and return the command lines of those that object."""
    objecting: list[str] = []
    for command in LINTERS:
        objecting += _run(command, [str(BIN_DIR / command[0]), *command[1:]])
    try:
        javascript.ensure_tools(lambda words: print(f"setup    | {words}", flush=True))
    except CannotStart as trouble:
        print(f"lint     | {trouble}", file=sys.stderr)
        return [*objecting, "the linters of JavaScript, which could not be installed"]
    for command in javascript.LINTERS:
        objecting += _run(command, javascript.command_line(command))
    return objecting


def _run(command: Sequence[str], command_line: list[str]) -> list[str]:
    """Run one linter; return its name if it objects."""
    words = " ".join(command)
    print(f"lint     | {words}", flush=True)
    done = subprocess.run(command_line, cwd=PROJECT_DIR, check=False)
    return [words] if done.returncode != 0 else []


def main() -> int:
    """Return 0 when no linter objects."""
    objecting = run_linters()
    if objecting:
        print(f"lint     | objections from: {'; '.join(objecting)}", file=sys.stderr)
    return 1 if objecting else 0


if __name__ == "__main__":
    sys.exit(main())
