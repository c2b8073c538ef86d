"""Runs the linters and the tests, installing what they need first (`make test`).

With `--long` (`make test-long`) the long suite too: every step, kind and example of which the
usual one takes some.
"""

import subprocess
import sys

from embedded import engine
from embedded.chromium import ensure_chromium
from embedded.environ import environ
from embedded.errors import CannotStart, in_one_sentence
from embedded.linters import run_linters

# Tests of one group share something slow, so they go to one process.
PARALLEL = ("-n", "2", "--dist", "loadgroup")
LONG = "--long"
NOT_LONG = ("-m", "not long")


def main() -> int:
    """Return 0 when every linter and test is content. Arguments but `--long` go to pytest."""
    given = sys.argv[1:]
    chosen = [one for one in given if one != LONG]
    if LONG not in given:
        chosen = [*NOT_LONG, *chosen]
    try:
        chromium = ensure_chromium()
        engine_dir = engine.PROJECT_DIR / ".engine"
        if not engine.is_installed(engine_dir):
            engine.install(engine_dir, lambda words: print(f"setup    | {words}", flush=True))
    except CannotStart as trouble:
        print(trouble, file=sys.stderr)
        return 1
    except OSError as trouble:
        print(in_one_sentence(trouble), file=sys.stderr)
        return 1
    objecting = run_linters()
    tests = _run_tests(chromium, chosen)
    if objecting:
        print(f"lint     | objections from: {'; '.join(objecting)}", file=sys.stderr)
    return tests or (1 if objecting else 0)


def _run_tests(chromium: str | None, arguments: list[str]) -> int:
    """Run pytest and return its exit code."""
    environment = environ()
    if chromium is None:
        print("tests    | the browser journeys are left out: there is no Chromium here", flush=True)
        arguments = ["--ignore=tests/browser", *arguments]
    else:
        environment["CHROMIUM_PATH"] = chromium
    return subprocess.run(
        [sys.executable, "-m", "pytest", *PARALLEL, *arguments],
        cwd=engine.PROJECT_DIR,
        env=environment,
        check=False,
    ).returncode


if __name__ == "__main__":
    sys.exit(main())
