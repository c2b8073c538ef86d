"""A worker that is asked to end and cannot. What ends well is in tests/stack/test_workers.py."""

import os
import subprocess
import sys
import time
from pathlib import Path

from settings import PROJECT_DIR, Settings

# A turn that does not end though it is told to: its thread hangs.
HANGING = """
import threading

from models.base import new_id
from models.database import connect
from settings import get_settings
from tasks.worker.leased_jobs import LeasedJob
from tasks.worker.process import WorkerProcess

settings = get_settings()
connect(settings.database_url.get_secret_value())
worker = WorkerProcess(settings, lambda *_: None)
hanging = LeasedJob(new_id(), new_id(), new_id(), attempt=1)
worker.held.add(hanging)
worker.drain(settings.worker_drain_seconds)
assert not hanging.stop.is_set()
assert hanging.stop.wait(10)
print("told to stop", flush=True)
worker.stop()
"""
STOP_SECONDS = 3


def test_a_worker_in_which_a_turn_hangs_ends_in_time(settings: Settings, tmp_path: Path) -> None:
    """Nothing is signed off: its leases run out, and another worker goes on."""
    given = {
        "WORKER_DRAIN_SECONDS": "1",
        "WORKER_STOP_SECONDS": str(STOP_SECONDS),
        "CELLS_DIR": str(tmp_path / "cells"),
    }
    with subprocess.Popen(
        [sys.executable, "-c", HANGING],
        cwd=PROJECT_DIR,
        env={**os.environ, **given},  # noqa: TID251
        stdout=subprocess.PIPE,
        text=True,
    ) as worker:
        assert worker.stdout
        assert any("told to stop" in line for line in worker.stdout)
        began = time.monotonic()
        assert worker.wait(10 * STOP_SECONDS) == 1
        # Not after the fifteen seconds that it would else wait for the turn.
        assert time.monotonic() - began < 2 * STOP_SECONDS
