"""Migrations run while people write: none of them may hold a lock that others wait for."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic.script import ScriptDirectory

from settings import PROJECT_DIR

SQUAWK = Path(sys.prefix) / "bin" / "squawk"
# Those that were written when nobody had a large table yet do not count.
ONLINE_FROM = "2026_12_02"
ONLINE_BEFORE = ("5c8e1f40b7d3", "e2a94c7d1b60", "7b06d3f52c9e", "a4d6b8f2c910")
# Kept as texts with a check of their own; bounded in env.py; not about locks.
LEFT_OUT = "prefer-text-field,require-statement-timeout,prefer-robust-stmts,ban-drop-constraint"


def online() -> Iterator[tuple[str, str]]:
    """The migrations that are looked at: each with the one before it."""
    scripts = ScriptDirectory(str(PROJECT_DIR / "migrations"))
    for script in scripts.walk_revisions():
        name = Path(script.path).name
        if script.revision in ONLINE_BEFORE or name >= ONLINE_FROM:
            before = script.down_revision
            assert isinstance(before, str), f"{name} joins branches, so it changes nothing itself"
            yield before, script.revision


def objections(statements: str) -> str:
    """What squawk says of them, "" if nothing."""
    command = [str(SQUAWK), "--reporter", "gcc", "--exclude", LEFT_OUT]
    done = subprocess.run(command, input=statements, capture_output=True, text=True, check=False)
    return done.stdout if done.returncode else ""


@pytest.mark.parametrize(("before", "after"), online())
def test_nobody_waits_for_a_migration(before: str, after: str) -> None:
    command = [sys.executable, "-m", "alembic", "upgrade", f"{before}:{after}", "--sql"]
    shown = subprocess.run(command, cwd=PROJECT_DIR, capture_output=True, text=True, check=True)
    assert objections(shown.stdout) == ""


def test_an_index_of_a_table_that_is_written_to_is_objected_to() -> None:
    assert "require-concurrent-index-creation" in objections(
        "SET lock_timeout = '3s'; CREATE INDEX ix_jobs_any ON jobs (user_id);"
    )
