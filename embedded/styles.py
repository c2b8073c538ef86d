"""Builds what the website has of styles, icons and vendored files (`make css`)."""

import subprocess
import sys

from embedded import javascript
from embedded.errors import CannotStart


def main() -> int:
    """Return the builder's exit code."""
    try:
        javascript.ensure_tools(lambda words: print(f"setup    | {words}", flush=True))
    except CannotStart as trouble:
        print(trouble, file=sys.stderr)
        return 1
    build = javascript.command_line(("node", "build.mjs"))
    return subprocess.run(build, cwd=javascript.ASSETS_DIR, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
