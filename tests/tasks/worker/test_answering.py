"""A claimed job is seen through: what comes before its turn, and what may go wrong there."""

import threading
from collections.abc import Callable
from datetime import timedelta
from uuid import UUID

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from agent.meter.call_ledger import CallLedger
from agent.turn import (
    AgentFailed,
    Answer,
    Forgotten,
    SavedPack,
    SavedState,
    Turn,
    TurnFailure,
    Watcher,
)
from gateways.s3_files import Storage
from models import jobs
from models.base import new_id, utc_now
from models.chat import erasures
from models.database import unit_of_work
from models.ops import snapshots
from models.schema.jobs import Job, JobStatus
from models.schema.snapshots import StateSnapshot
from models.schema.uploads import SentFile
from models.schema.users import User
from settings import Settings, get_settings
from tasks.worker import answering
from tests import factories
from tests.factories import MODEL
from tests.tasks.bare_worker import BareWorker, CellsOfNobody


class Forgetting(CellsOfNobody):
    """Forgets at once; meanwhile the next of `deleted` is deleted."""

    def __init__(self, deleted: list[UUID]) -> None:
        super().__init__()
        self.deleted = deleted
        self.forgotten: list[UUID] = []

    def forget(
        self,
        user_id: UUID,
        states: tuple[SavedState, ...],
        forgotten: Forgotten,
        check: Callable[[], object],
    ) -> SavedState:
        self.forgotten += forgotten.conversations
        if self.deleted:
            with unit_of_work() as db:
                erasures.want(db, user_id, self.deleted.pop())
        version = states[0].version + 1
        return SavedState(version, (SavedPack(f"state/{user_id}/{version}", "0" * 64, 1),), 1)


@pytest.fixture
def worker(settings: Settings, redis_url: str, storage: Storage) -> BareWorker:
    assert redis_url
    assert storage
    return BareWorker(settings)


def test_what_is_deleted_while_files_forget_is_forgotten_too(
    worker: BareWorker, db: Session, ada: User
) -> None:
    asked = factories.job(db, ada, "Hello?")
    snapshots.add(
        db, StateSnapshot(user_id=ada.id, version=1, packs=[], size_bytes=1, job_id=asked.id)
    )
    first, second = (factories.conversation(db, ada).id for _ in range(2))
    erasures.want(db, ada.id, first)
    db.commit()
    runtime = Forgetting([second])
    worker.runtime = runtime
    scripted = worker.claim(ada.id)
    assert scripted

    turn = answering._prepared(worker, scripted.held)  # pyright: ignore[reportPrivateUsage]

    assert runtime.forgotten == [first, second]
    assert [state.version for state in turn.states] == [3]


class Answering(CellsOfNobody):
    """Answers as a test says, or raises what it says."""

    def __init__(self, end: Exception | None = None) -> None:
        super().__init__()
        self.end = end
        self.turns: list[Turn] = []

    def run(self, turn: Turn, watcher: Watcher, books: CallLedger, stop: threading.Event) -> Answer:
        self.turns.append(turn)
        if self.end is not None:
            raise self.end
        watcher.text("Hello!")
        return Answer("Hello!", 0)


def seen_through(worker: BareWorker, db: Session, ada: User, end: Exception | None = None) -> Job:
    """Ada's next job, after a worker was through with it."""
    worker.runtime = worker.cells = Answering(end)
    scripted = worker.claim(ada.id)
    assert scripted
    scripted.publisher.close()
    answering._see_through(worker, scripted.held)  # pyright: ignore[reportPrivateUsage]
    db.expire_all()
    return db.get_one(Job, scripted.held.job_id)


def with_file(db: Session, ada: User, key: str) -> None:
    talk = factories.conversation(db, ada)
    sent = SentFile("a.txt", "text/plain", 4, key)
    jobs.ask(db, talk, "What is in it?", model=MODEL, files=[sent])
    db.commit()


def test_a_turn_has_the_words_the_files_and_the_person(
    worker: BareWorker, db: Session, ada: User
) -> None:
    key = f"uploads/{ada.id}/{new_id()}"
    worker.storage.put(key, b"text")
    with_file(db, ada, key)

    seen_through(worker, db, ada, AgentFailed(TurnFailure.STUCK, permanent=True))

    assert isinstance(worker.runtime, Answering)
    [turn] = worker.runtime.turns
    assert (turn.text, turn.profile.name, turn.model) == ("What is in it?", "Ada", MODEL)
    assert [(one.name, one.data) for one in turn.attachments] == [("a.txt", b"text")]
    assert turn.states == ()


def test_files_that_cannot_be_had_just_now_are_asked_for_again(
    worker: BareWorker, db: Session, ada: User
) -> None:
    with_file(db, ada, f"uploads/{ada.id}/gone")

    job = seen_through(worker, db, ada)

    assert (job.status, job.attempt) == (JobStatus.PENDING, 1)
    assert job.ready_at > job.created_at


def test_a_mistake_of_ours_is_tried_again_and_then_told_as_ours(
    worker: BareWorker, db: Session, ada: User, adjust: Callable[..., None]
) -> None:
    factories.job(db, ada)
    db.commit()
    adjust(JOB_MAX_ATTEMPTS="2")
    worker.settings = get_settings()
    assert seen_through(worker, db, ada, KeyError("a bug")).status is JobStatus.PENDING
    db.execute(sa.update(Job).values(ready_at=utc_now() - timedelta(minutes=1)))
    db.commit()

    job = seen_through(worker, db, ada, KeyError("a bug"))

    assert (job.status, job.failure_code) == (JobStatus.FAILED, "unexpected")


def test_a_message_whose_conversation_was_deleted_is_answered_no_more(
    worker: BareWorker, db: Session, ada: User
) -> None:
    job = factories.job(db, ada)
    db.execute(sa.update(Job).where(Job.id == job.id).values(message_id=None))
    db.commit()

    assert seen_through(worker, db, ada).status is JobStatus.CANCELLED
    assert isinstance(worker.runtime, Answering)
    assert worker.runtime.turns == []


def test_whoever_lost_the_lease_writes_nothing(worker: BareWorker, db: Session, ada: User) -> None:
    factories.job(db, ada)
    db.commit()
    scripted = worker.claim(ada.id)
    assert scripted
    scripted.publisher.close()
    db.execute(sa.update(Job).values(attempt=2))
    db.commit()
    worker.runtime = worker.cells = Answering()

    answering._see_through(worker, scripted.held)  # pyright: ignore[reportPrivateUsage]

    db.expire_all()
    assert db.get_one(Job, scripted.held.job_id).status is JobStatus.RUNNING
    assert worker.cells.discarded == [ada.id]
    assert worker.runtime.turns == []
