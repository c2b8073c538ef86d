"""The locks under which a job is written: the person's first, then the job's."""

from concurrent.futures import Future, ThreadPoolExecutor
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from models import jobs, ledger
from models.base import utc_now
from models.database import unit_of_work
from models.schema.jobs import Job, JobStatus
from tasks import upkeep
from tests import factories
from tests.factories import SOMEBODY
from tests.house import wait_for
from tests.locks import wait_for_waiter


@pytest.fixture
def running(emptied: sa.Engine) -> Job:
    assert emptied
    with unit_of_work() as db:
        return factories.running(db, factories.user(db, "ada@example.org"))


def test_a_job_that_was_handed_back_meanwhile_is_lost(emptied: sa.Engine, running: Job) -> None:
    with Session(emptied) as other, ThreadPoolExecutor(1) as pool:
        ledger.lock_account(other, running.user_id)
        jobs.requeue(other, other.get_one(Job, running.id), wait=timedelta(0))
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


def test_no_account_stays_locked_while_others_of_a_dead_worker_are_looked_after(
    emptied: sa.Engine, running: Job
) -> None:
    with unit_of_work() as db:
        second = factories.running(db, factories.user(db, "eve@example.org"))
        for minutes, job in ((9, running), (8, second)):
            since = utc_now() - timedelta(minutes=minutes)
            db.execute(sa.update(Job).where(Job.id == job.id).values(lease_until=since))
    with Session(emptied) as other, ThreadPoolExecutor(1) as pool:
        ledger.lock_account(other, second.user_id)
        sweeping = pool.submit(upkeep.reap_expired)

        def _is_free() -> bool:
            with Session(emptied) as looking:
                ledger.lock_account(looking, running.user_id)
                return looking.get_one(Job, running.id).status is JobStatus.PENDING

        wait_for(_is_free, "the first job to be taken back", seconds=4)
        assert not sweeping.done()
        other.commit()
        sweeping.result(10)
        with Session(emptied) as looking:
            assert looking.get_one(Job, second.id).status is JobStatus.PENDING


def test_whose_files_a_stopping_worker_saves_is_asked_of_few_people(emptied: sa.Engine) -> None:
    asked: list[tuple[str, Any]] = []

    def _note(_one: object, _two: object, statement: str, parameters: object, *_: object) -> None:
        asked.append((statement, parameters))

    event.listen(emptied, "before_cursor_execute", _note)
    with unit_of_work() as db:
        jobs.drop_affinity(db, SOMEBODY)
    event.remove(emptied, "before_cursor_execute", _note)
    [(statement, given)] = [one for one in asked if one[0].startswith("UPDATE jobs")]
    with emptied.begin() as connection:
        # PostgreSQL reads a small table whole where it can do anything else; here it shall not.
        connection.execute(sa.text("SET LOCAL enable_seqscan = off"))
        plan = "\n".join(connection.exec_driver_sql(f"EXPLAIN {statement}", given).scalars())
    assert "users_pkey" in plan or "pk_users" in plan
    assert "Seq Scan on users" not in plan


def _lock_elsewhere(pool: ThreadPoolExecutor, engine: sa.Engine, job: Job) -> Future[UUID]:
    """Ask for the locks of a job in a thread; return when it has to wait for one."""

    def _lock() -> UUID:
        with unit_of_work() as db:
            return jobs.lock_held(db, job.id, job.attempt)[1].id

    late = pool.submit(_lock)
    wait_for_waiter(engine)
    return late
