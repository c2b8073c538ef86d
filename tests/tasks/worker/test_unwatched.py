"""A worker tells of an answer in the transaction that writes it."""

from collections.abc import Generator
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from gateways.event_streams import Streams
from models.base import new_id, utc_now
from models.database import unit_of_work
from models.jobs import Claim, FinishedAnswer
from models.schema.jobs import Job, JobStatus
from models.schema.notifications import Notification, NotificationPreference, Topic
from settings import Settings
from tasks.worker import outcomes
from tasks.worker.leased_jobs import LeasedJob
from tasks.worker.process import WorkerProcess
from tests import factories
from webapp.core.live import RESYNC, Hub


@pytest.fixture
def worker(emptied: sa.Engine, settings: Settings, tmp_path: Path) -> Generator[WorkerProcess]:
    """A worker that writes answers, and has no cells to claim for."""
    begun: list[Claim] = []
    changes = {"cells_dir": tmp_path / "cells"}
    process = WorkerProcess(
        settings.model_copy(update=changes), lambda _, claim: begun.append(claim)
    )
    process.commit_loop.start()
    yield process
    process.commit_loop.stop()
    assert begun == []


def running(seconds: int) -> Job:
    """A message that somebody new sent so long ago."""
    with unit_of_work() as db:
        user = factories.user(db, f"grace-{seconds}@example.org")
        job = factories.running(db, user)
        job.created_at = utc_now() - timedelta(seconds=seconds)
        return job


def references() -> list[str]:
    with unit_of_work() as db:
        return list(db.scalars(sa.select(Notification.reference)))


def answer(job: Job, *, is_unwatched: bool, attempt: int = 1) -> FinishedAnswer:
    return FinishedAnswer(
        job.id, job.user_id, attempt, "Done.", "<p>Done.</p>", is_unwatched=is_unwatched
    )


def test_what_nobody_watched_is_told_as_it_is_written(worker: WorkerProcess) -> None:
    watched, unwatched, quick = running(100), running(101), running(1)
    worker.commit_loop.complete(answer(watched, is_unwatched=False))
    worker.commit_loop.complete(answer(unwatched, is_unwatched=True))
    worker.commit_loop.complete(answer(quick, is_unwatched=True))
    assert references() == [f"over:{unwatched.id}"]


def test_nobody_loses_an_answer_because_it_cannot_be_told(
    worker: WorkerProcess,
) -> None:
    job = running(100)
    with unit_of_work() as db:
        # Ways that are no list, as nothing of ours writes them.
        row = {"user_id": job.user_id, "topic": Topic.LONG_WORK, "ways": 7}
        db.execute(sa.insert(NotificationPreference).values(row))
    worker.commit_loop.complete(answer(job, is_unwatched=True))
    assert references() == []
    with unit_of_work() as db:
        assert db.get_one(Job, job.id).status is JobStatus.COMPLETED


def test_of_a_job_that_was_lost_nothing_is_told(worker: WorkerProcess) -> None:
    job = running(100)
    assert not worker.commit_loop.submit(answer(job, is_unwatched=True, attempt=2)).result()
    assert references() == []
    with unit_of_work() as db:
        assert db.get_one(Job, job.id).status is JobStatus.RUNNING


def test_only_for_what_took_long_somebody_looks_who_watches(
    worker: WorkerProcess, redis_url: str
) -> None:
    conversation = new_id()
    hub = Hub(Streams(redis_url))
    with closing(hub), hub.listening(conversation) as listener:
        assert listener.next(5.0) is RESYNC
        for seconds, watched, is_told in (
            (100, True, False),
            (100, False, True),
            (1, False, False),
        ):
            held = LeasedJob(new_id(), new_id(), conversation if watched else new_id(), attempt=1)
            held.asked_at = utc_now() - timedelta(seconds=seconds)
            found = outcomes._is_unwatched(worker, held)  # pyright: ignore[reportPrivateUsage]
            assert found is is_told


def test_a_claim_says_since_when_somebody_waits(db: Session) -> None:
    factories.job(db, factories.user(db, "ada@example.org"))
    asked = utc_now() - timedelta(hours=1)
    db.execute(sa.update(Job).values(created_at=asked))
    (claim,) = factories.jobs.claim_many(db, factories.SOMEBODY, factories.LEASE, 1)
    assert LeasedJob.of(claim).asked_at == asked
