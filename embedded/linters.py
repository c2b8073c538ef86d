"""Runs every linter and says at the end which ones object (`make lint`)."""

import subprocess
import sys
from pathlib import Path

from embedded.engine import PROJECT_DIR

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
        words = " ".join(command)
        print(f"lint     | {words}", flush=True)
        program = str(BIN_DIR / command[0])
        if subprocess.run([program, *command[1:]], cwd=PROJECT_DIR, check=False).returncode != 0:
            objecting.append(words)
    return objecting


def main() -> int:
    """Return 0 when no linter objects."""
    objecting = run_linters()
    if objecting:
        print(f"lint     | objections from: {'; '.join(objecting)}", file=sys.stderr)
    return 1 if objecting else 0


if __name__ == "__main__":
    sys.exit(main())
