"""Deletions in a hurry: a person's files forget once, one person's at a time, and nobody waits."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from uuid import UUID

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session
from structlog.testing import capture_logs

from agent.turn import AgentFailed, Forgotten, SavedPack, SavedState, TurnFailure
from gateways.s3_files import Storage
from models.base import new_id
from models.chat import erasures
from models.database import open_session, unit_of_work
from models.ops import snapshots
from models.schema.erasures import Erasure
from models.schema.snapshots import StateSnapshot
from models.schema.users import User
from settings import Settings
from tasks.worker import answering, forgetting, process
from tasks.worker.forget_slots import AT_ONCE, Editing
from tasks.worker.leased_jobs import LeasedJob
from tests import factories
from tests.tasks.bare_worker import BareWorker, CellsOfNobody

PATIENCE_SECONDS = 10


@dataclass
class Passes(CellsOfNobody):
    """Notes what was forgotten in each pass, and does `meanwhile` in the first."""

    meanwhile: Callable[[], object] = lambda: None
    storage: Storage | None = None
    passes: list[tuple[UUID, int]] = field(default_factory=list)
    stored: list[str] = field(default_factory=list)
    is_checked: bool = True

    def forget(
        self,
        user_id: UUID,
        states: tuple[SavedState, ...],
        forgotten: Forgotten,
        check: Callable[[], object],
    ) -> SavedState:
        self.passes.append((user_id, len(forgotten.conversations)))
        if len(self.passes) == 1:
            self.meanwhile()
        if self.is_checked:
            check()
        version = states[0].version + 1
        key = f"state/{user_id}/{version}-{len(self.passes):016x}.pack"
        if self.storage:
            self.storage.put(key, b"x")
        self.stored.append(key)
        return SavedState(version, (SavedPack(key, "0" * 64, 1),), 1)


@pytest.fixture
def worker(settings: Settings, redis_url: str, storage: Storage) -> BareWorker:
    assert redis_url
    assert storage
    return BareWorker(settings)


def deleted(db: Session, owner: User, count: int) -> None:
    """The person has saved a version, deletes so many conversations and asks something."""
    job = factories.job(db, owner)
    snapshots.add(db, version(owner, 1, job.id))
    for _ in range(count):
        erasures.want(db, owner.id, factories.conversation(db, owner).id)
    db.commit()


def version(owner: User, number: int, job_id: UUID) -> StateSnapshot:
    return StateSnapshot(user_id=owner.id, version=number, packs=[], size_bytes=1, job_id=job_id)


def save_another(owner: User) -> None:
    with unit_of_work() as db:
        [newest] = snapshots.newest(db, owner.id, limit=1)
        snapshots.add(db, version(owner, newest.version + 1, newest.job_id))


def running(person: UUID) -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == f"forget-{person}"]


def test_however_many_nudges_come_one_pass_forgets_all(
    worker: BareWorker, emptied: sa.Engine
) -> None:
    assert emptied
    with open_session() as db:
        ada = factories.user(db, "ada@example.org")
        eve = factories.user(db, "eve@example.org")
        deleted(db, ada, 10)
        deleted(db, eve, 1)
    begun, go_on = threading.Event(), threading.Event()

    def _wait() -> None:
        begun.set()
        assert go_on.wait(PATIENCE_SECONDS)

    worker.runtime = cells = Passes(_wait)
    process.enter(worker)
    # The thread that this is called in is free at once.
    forgetting.forget(str(ada.id))
    assert begun.wait(PATIENCE_SECONDS)
    for person in [ada, eve] * 5:
        forgetting.forget(str(person.id))
    # Nor does another process, or a turn of hers.
    assert not forgetting.carry_out(BareWorker(worker.settings), ada.id)
    [thread] = running(ada.id)
    go_on.set()
    thread.join(PATIENCE_SECONDS)

    assert cells.passes == [(ada.id, 10)]
    forgetting.forget(str(eve.id))
    for thread in running(eve.id):
        thread.join(PATIENCE_SECONDS)
    assert cells.passes == [(ada.id, 10), (eve.id, 1)]
    with open_session() as db:
        assert not erasures.is_any(db, ada.id)
        assert not erasures.is_any(db, eve.id)


@pytest.mark.parametrize("is_checked", [True, False], ids=["before storing", "after storing"])
def test_who_loses_a_race_looks_again_and_leaves_nothing(
    worker: BareWorker, db: Session, ada: User, storage: Storage, is_checked: bool
) -> None:
    deleted(db, ada, 2)
    turn = worker.claim(ada.id)
    assert turn
    cells = Passes(lambda: save_another(ada), storage, is_checked=is_checked)
    worker.runtime = cells

    with capture_logs() as lines:
        prepared = answering._prepared(worker, turn.held)  # pyright: ignore[reportPrivateUsage]

    assert [state.version for state in prepared.states] == [3]
    assert cells.passes == [(ada.id, 2)] * 2
    assert {line["log_level"] for line in lines} == {"info"}
    *lost, kept = cells.stored
    assert len(lost) == (0 if is_checked else 1)
    assert list(storage.list(f"state/{ada.id}/")) == [kept]


def test_who_stored_too_late_deletes_it(
    worker: BareWorker, db: Session, ada: User, storage: Storage
) -> None:
    deleted(db, ada, 1)
    worker.runtime = cells = Passes(lambda: save_another(ada), storage, is_checked=False)

    assert forgetting.carry_out(worker, ada.id)

    assert cells.stored
    assert list(storage.list(f"state/{ada.id}/")) == []
    assert erasures.is_any(db, ada.id)


def test_a_turn_fails_as_what_came_before_it_failed(
    worker: BareWorker, db: Session, ada: User
) -> None:
    deleted(db, ada, 1)
    turn = worker.claim(ada.id)
    assert turn

    def _fail() -> None:
        raise AgentFailed(TurnFailure.STATE_UNAVAILABLE, permanent=True)

    worker.runtime = Passes(_fail)
    with pytest.raises(AgentFailed) as failure:
        answering._prepared(worker, turn.held)  # pyright: ignore[reportPrivateUsage]

    assert (failure.value.code, failure.value.permanent) == ("state_unavailable", True)
    # The next attempt need not wait for a lease to end.
    [left] = db.scalars(sa.select(Erasure).where(Erasure.user_id == ada.id))
    assert left.tried_at
    assert left.leased_until is None


def test_a_turn_that_is_stopped_waits_for_nobody(
    worker: BareWorker, db: Session, ada: User
) -> None:
    deleted(db, ada, 1)
    assert erasures.claim(db, ada.id, forgetting.LEASE)
    db.commit()
    held = LeasedJob(new_id(), ada.id, new_id(), attempt=1)
    held.stop.set()

    with pytest.raises(AgentFailed) as failure:
        forgetting.before_turn(worker, held)

    assert failure.value.code == "stopped"


def test_turns_find_a_place_beside_the_background() -> None:
    editing, stop = Editing(), threading.Event()
    stop.set()
    assert editing.begin()
    assert not editing.begin()
    with editing.turn(stop) as first:
        assert first
        assert AT_ONCE == 2
        with editing.turn(stop) as second:
            assert not second
    editing.done()
    with editing.turn(stop), editing.turn(stop):
        assert not editing.begin()
    assert editing.begin()
    editing.done()
    editing.end(0)
    assert not editing.begin()
