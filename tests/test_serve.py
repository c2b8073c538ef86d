"""How each process of the product is started."""

import os
import subprocess
import sys
from importlib.util import find_spec

import pytest
import sqlalchemy as sa

import serve
from settings import PROJECT_DIR, Settings


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
    assert done.stderr == ("Name one of: web, worker, clock, messaging, migrate, account, audit.\n")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["account", "show", "nobody@example.org"], "There is no account of this address or id."),
        (["account", "admin"], "the following arguments are required"),
        (["audit"], "  ok  "),
    ],
)
def test_what_is_run_by_hand_gets_its_words(
    engine: sa.Engine, settings: Settings, words: list[str], said: str
) -> None:
    """Where there are images alone, nobody could else make an admin or audit the books."""
    assert engine
    url = settings.database_url.get_secret_value()
    done = subprocess.run(
        [sys.executable, "-m", "serve", *words],
        cwd=PROJECT_DIR,
        env={**os.environ, "DATABASE_URL": url},  # noqa: TID251  # for a process of its own
        capture_output=True,
        text=True,
        check=False,
    )

    assert said in done.stdout + done.stderr


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
