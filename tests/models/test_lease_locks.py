"""The locks under which a job is written: the person's first, then the job's."""

from concurrent.futures import Future, ThreadPoolExecutor
from datetime import timedelta
from uuid import UUID

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from models import jobs, ledger
from models.database import unit_of_work
from models.jobs import Job
from tests import factories
from tests.house import wait_for


@pytest.fixture
def running(emptied: sa.Engine) -> Job:
    assert emptied
    with unit_of_work() as db:
        return factories.running(db, factories.user(db, "ada@example.org"))


def test_a_job_that_was_handed_back_meanwhile_is_lost(emptied: sa.Engine, running: Job) -> None:
    with Session(emptied) as other, ThreadPoolExecutor(1) as pool:
        ledger.lock_account(other, running.user_id)
        jobs.hand_back(other, other.get_one(Job, running.id), wait=timedelta(0))
        late = _lock_elsewhere(pool, emptied, running)
        other.commit()
        with pytest.raises(jobs.LeaseLost):
            late.result(10)


def test_who_waits_for_a_job_has_its_person_already(emptied: sa.Engine, running: Job) -> None:
    with Session(emptied) as other, ThreadPoolExecutor(1) as pool:
        other.get_one(Job, running.id, with_for_update=True)
        late = _lock_elsewhere(pool, emptied, running)
        with Session(emptied) as third, pytest.raises(OperationalError, match="lock timeout"):
            third.execute(sa.text("SET lock_timeout = '100ms'"))
            ledger.lock_account(third, running.user_id)
        other.commit()
        assert late.result(10) == running.id


def _lock_elsewhere(pool: ThreadPoolExecutor, engine: sa.Engine, job: Job) -> Future[UUID]:
    """Ask for the locks of a job in a thread; return when it has to wait for one."""

    def _lock() -> UUID:
        with unit_of_work() as db:
            return jobs.lock_held(db, job.id, job.attempt)[1].id

    def _waits() -> bool:
        with engine.connect() as looking:
            return bool(looking.scalar(sa.text("SELECT 1 FROM pg_locks WHERE NOT granted")))

    late = pool.submit(_lock)
    wait_for(_waits, "somebody to wait for the lock", seconds=10)
    return late
