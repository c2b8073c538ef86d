"""How each process of the product is started."""

import subprocess
import sys
from importlib.util import find_spec

import pytest

import serve
from settings import PROJECT_DIR


@pytest.mark.parametrize("name", sorted(serve.PROCESSES))
def test_each_process_is_a_module_that_is_there(name: str) -> None:
    python, flag, module, *_ = serve.PROCESSES[name]()

    assert (python, flag) == (sys.executable, "-m")
    assert find_spec(module) is not None


@pytest.mark.parametrize("words", [[], ["nothing"], ["clock", "8000"], ["web", "a", "b"]])
def test_what_is_none_is_refused_with_the_names_there_are(words: list[str]) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "serve", *words],
        cwd=PROJECT_DIR,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 2
    assert done.stderr == "Name one of: web, worker, clock, messaging, migrate.\n"


def test_the_process_takes_the_place_of_what_started_it() -> None:
    """So that a container's stop signal reaches it; here it has no settings, and says so itself."""
    done = subprocess.run(
        [sys.executable, "-m", "serve", "clock"],
        cwd=PROJECT_DIR,
        env={"PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 1
    assert "secret_key" in done.stderr
