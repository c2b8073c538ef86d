"""`make audit` finds the books, whether the product runs or not."""

import subprocess
import sys
from pathlib import Path

import pytest

from embedded import audit, product
from embedded.process import wait_done
from embedded.stack import MIGRATION_SECONDS, Services
from settings import PROJECT_DIR


def audited(data: Path) -> "subprocess.CompletedProcess[str]":
    """Run it as `make` does, with nothing in the environment but where the data is."""
    environment = {"PATH": "/usr/bin:/bin", "DATA_DIR": str(data)}
    command = [sys.executable, "-m", audit.__name__]
    return subprocess.run(
        command, cwd=PROJECT_DIR, env=environment, capture_output=True, text=True, check=False
    )


@pytest.mark.timeout(200)
def test_the_books_are_found_while_the_product_runs_and_afterwards(tmp_path: Path) -> None:
    with Services(tmp_path / "data") as services:
        migrated = services.supervisor.start(product.migrations(services.environment()))
        wait_done(migrated, MIGRATION_SECONDS)
        meanwhile = audited(tmp_path / "data")
    afterwards = audited(tmp_path / "data")

    for done in (meanwhile, afterwards):
        assert done.returncode == 0, done.stderr
        assert "ok  the balance is the sum of the entries" in done.stdout


def test_without_books_it_says_so(tmp_path: Path) -> None:
    done = audited(tmp_path / "nowhere")

    assert done.returncode == 2
    assert "There are no books" in done.stderr
    assert not (tmp_path / "nowhere").exists()
