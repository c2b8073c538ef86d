"""A fault whose text is no longer in its file proves nothing, so `make test` looks for each."""

import subprocess
import sys

from settings import PROJECT_DIR


def test_each_fault_has_its_place() -> None:
    looking = subprocess.run(
        [sys.executable, "-m", "tests.mutants", "--places"],
        cwd=PROJECT_DIR,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert (looking.returncode, looking.stdout) == (0, "")
