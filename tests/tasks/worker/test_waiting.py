"""A worker without room knows how long people wait whom nobody has a cell for."""

from collections.abc import Generator
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from agent.cells.demand import LONG_SECONDS, PATIENCE_SECONDS, Demand
from models.base import new_id, utc_now
from models.database import unit_of_work
from models.jobs import Claim
from models.ops import workers
from models.schema.jobs import Job
from models.schema.users import User
from settings import Settings
from tasks.worker.boot_allocation import STEP_SECONDS
from tasks.worker.leased_jobs import LeasedJob
from tasks.worker.process import WorkerProcess
from tests import factories
from tests.house import wait_for


@pytest.fixture
def worker(emptied: sa.Engine, settings: Settings, tmp_path: Path) -> Generator[WorkerProcess]:
    """A worker that looks for jobs and has no cell yet."""
    begun: list[Claim] = []
    changes = {"cells_dir": tmp_path / "cells"}
    process = WorkerProcess(
        settings.model_copy(update=changes), lambda _, claim: begun.append(claim)
    )
    process.commit_loop.start()
    yield process
    process.commit_loop.stop()
    assert begun == []


def test_it_knows_how_long_the_first_has_waited(worker: WorkerProcess) -> None:
    assert not _waiting(worker).is_anybody
    with unit_of_work() as db:
        _ask(db, _sign_up("ada"), LONG_SECONDS)

    wait_for(lambda: _waiting(worker).is_long, "the worker to see who waits", seconds=10)


def test_whose_turn_is_on_here_does_not_wait(worker: WorkerProcess) -> None:
    served = _sign_up("ada")
    worker.held.add(LeasedJob(new_id(), served, new_id(), attempt=1))
    with unit_of_work() as db:
        _ask(db, served, LONG_SECONDS)
        _ask(db, _sign_up("eve"), LONG_SECONDS / 2)

    wait_for(lambda: _waiting(worker).is_anybody, "the worker to see who waits", seconds=10)
    assert not _waiting(worker).is_long


def test_it_leaves_who_waits_to_a_worker_with_room_at_first(worker: WorkerProcess) -> None:
    with unit_of_work() as db:
        other = workers.register(db, new_id(), "elsewhere")
        workers.report(db, other.id, sandbox="bwrap", capacity=1, spare=0, hot=0, busy=0)
        job = _ask(db, _sign_up("ada"), PATIENCE_SECONDS + STEP_SECONDS - 2)

    wait_for(lambda: _waiting(worker).is_anybody, "the worker to help too", seconds=10)
    waited = utc_now() - job.ready_at
    assert waited >= timedelta(seconds=PATIENCE_SECONDS + STEP_SECONDS)


def _sign_up(name: str) -> UUID:
    with unit_of_work() as db:
        return factories.user(db, f"{name}@example.org").id


def _ask(db: Session, user_id: UUID, seconds: float) -> Job:
    """A message that has waited for so long already."""
    job = factories.job(db, db.get_one(User, user_id))
    job.ready_at = utc_now() - timedelta(seconds=seconds)
    return job


def _waiting(worker: WorkerProcess) -> Demand:
    return worker.runtime._pool.waiting  # pyright: ignore[reportPrivateUsage]
