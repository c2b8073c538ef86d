"""A user's next turn begins while the one before is saved, or while its worker is in trouble."""

import threading
import time
from collections.abc import Callable, Sequence
from uuid import UUID

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from agent.turn import AgentFailed, SavedPack, SavedState, TurnFailure
from gateways.s3_files import Storage
from models import jobs
from models.base import new_id, utc_now
from models.chat import erasures
from models.database import unit_of_work
from models.jobs import Claim, FinishedAnswer
from models.ops import snapshots
from models.schema.jobs import Job, JobStatus
from models.schema.users import User
from settings import Settings
from tasks.worker import forgetting, saving
from tasks.worker.commit_loop import CommitLoop
from tasks.worker.leased_jobs import LeasedJob, LeasedJobs
from tasks.worker.process import SAVE_TIME
from tests import factories
from tests.factories import LEASE
from tests.tasks.bare_worker import BareWorker, CellsOfNobody, ScriptedTurn


class SlowCells(CellsOfNobody):
    """Cells whose saves are waited for; whoever discards one meanwhile breaks the save."""

    def __init__(self, storage: Storage) -> None:
        super().__init__()
        self._storage = storage
        self.meanwhile: Callable[[], object] = lambda: None
        self._is_saving = False
        self._is_broken = False

    def discard(self, user_id: UUID) -> None:
        super().discard(user_id)
        self._is_broken |= self._is_saving

    def save(self, user_id: UUID) -> SavedState:
        self._is_saving = True
        self.meanwhile()
        self._is_saving = False
        if self._is_broken:
            raise AgentFailed(TurnFailure.CELL_DIED, permanent=False)
        with unit_of_work() as db:
            found = snapshots.newest(db, user_id, limit=1)
        version = found[0].version + 1 if found else 1
        key = f"state/{user_id}/{version}-aa.pack"
        self._storage.put(key, b"files")
        return SavedState(version, (SavedPack(key, "0" * 64, 5),), 5)


@pytest.fixture
def worker(settings: Settings, redis_url: str, db: Session, storage: Storage) -> BareWorker:
    assert redis_url
    assert db
    worker = BareWorker(settings)
    worker.runtime = SlowCells(storage)
    return worker


def cells(worker: BareWorker) -> SlowCells:
    assert isinstance(worker.runtime, SlowCells)
    return worker.runtime


def claimed(worker: BareWorker, user: User) -> ScriptedTurn:
    turn = worker.claim(user.id)
    assert turn is not None
    worker.held.add(turn.held)
    return turn


def complete(worker: BareWorker, turn: ScriptedTurn) -> dict[UUID, bool]:
    turn.publisher.close()
    held = turn.held
    answer = FinishedAnswer(held.job_id, held.user_id, held.attempt, "Done.", "Done.")
    with unit_of_work() as db:
        return jobs.complete_many(db, [answer], worker.id, SAVE_TIME)


def save(worker: BareWorker, turn: ScriptedTurn) -> None:
    saving.save(worker, turn.held)
    worker.held.remove(turn.held)


def two_turns(worker: BareWorker, db: Session, user: User) -> tuple[ScriptedTurn, ScriptedTurn]:
    """Answer one message, and begin the next before the first is saved."""
    factories.job(db, user, "One")
    factories.job(db, user, "Two")
    db.commit()
    turn = claimed(worker, user)
    complete(worker, turn)
    return turn, claimed(worker, user)


def is_open_to_others(user_id: UUID) -> bool:
    with unit_of_work() as db, db.begin_nested() as tried:
        found = bool(jobs.claim_many(db, new_id(), LEASE, 1, only=[user_id]))
        tried.rollback()
        return found


@pytest.mark.parametrize("code", [TurnFailure.STILL_BUSY, TurnFailure.STORAGE_DOWN])
def test_a_turn_that_fails_early_leaves_the_save_of_the_last_alone(
    worker: BareWorker, db: Session, ada: User, code: TurnFailure
) -> None:
    turn, following = two_turns(worker, db, ada)
    failing = threading.Thread(target=following.fail, args=(code,), kwargs={"permanent": False})

    def begin() -> None:
        failing.start()
        failing.join(0.5)

    cells(worker).meanwhile = begin
    save(worker, turn)
    failing.join(10)

    assert [one.version for one in snapshots.newest(db, ada.id)] == [1]


def test_what_is_to_be_forgotten_waits_for_the_save_of_the_turn_before(
    worker: BareWorker, db: Session, ada: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    turn, following = two_turns(worker, db, ada)
    seen: list[int] = []

    def carry_out(_: BareWorker, user_id: UUID) -> bool:
        with unit_of_work() as own:
            seen.extend(one.version for one in snapshots.newest(own, user_id))
        return True

    monkeypatch.setattr(forgetting, "carry_out", carry_out)
    before = threading.Thread(target=forgetting.before_turn, args=(worker, following.held))

    def begin() -> None:
        before.start()
        before.join(0.3)

    cells(worker).meanwhile = begin
    save(worker, turn)
    before.join(10)

    assert seen == [1]


def test_while_a_failed_turn_is_saved_nobody_else_begins(
    worker: BareWorker, db: Session, ada: User
) -> None:
    factories.job(db, ada, "One")
    db.commit()
    turn = claimed(worker, ada)
    seen: list[bool] = []

    def look() -> None:
        # The wait between two attempts is over.
        with unit_of_work() as own:
            own.execute(sa.update(Job).values(ready_at=sa.func.clock_timestamp()))
        seen.append(is_open_to_others(ada.id))

    cells(worker).meanwhile = look
    turn.fail(TurnFailure.PROVIDER_DOWN, permanent=False)

    assert seen == [False]


def test_a_slow_clear_up_opens_the_next_turns_files_to_nobody(
    worker: BareWorker, db: Session, ada: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    for words in ("1", "2", "3"):
        factories.job(db, ada, words)
        db.commit()
        turn = claimed(worker, ada)
        complete(worker, turn)
        save(worker, turn)
    for words in ("4", "5", "6"):
        factories.job(db, ada, words)
    db.commit()
    turn = claimed(worker, ada)
    complete(worker, turn)
    answered: list[ScriptedTurn] = []

    def slow_delete(_: str) -> None:
        if not answered:
            answered.append(claimed(worker, ada))
            complete(worker, answered[0])

    monkeypatch.setattr(worker.storage, "delete", slow_delete)
    save(worker, turn)

    assert answered
    until = db.scalar(sa.select(Job.preferred_until).where(Job.is_head))
    assert until is not None
    assert until > db.scalars(sa.select(sa.func.clock_timestamp() + SAVE_TIME / 2)).one()


@pytest.mark.parametrize("code", [TurnFailure.STOPPED, TurnFailure.DISK_FULL])
def test_what_is_handed_back_without_a_cell_waits_for_nobody(
    worker: BareWorker, db: Session, ada: User, code: TurnFailure
) -> None:
    turn, following = two_turns(worker, db, ada)
    save(worker, turn)
    if code is TurnFailure.STOPPED:
        worker.draining.set()
    following.fail(code, permanent=False)

    job = db.get_one(Job, following.held.job_id, populate_existing=True)
    assert job.status is JobStatus.PENDING
    assert job.preferred_worker_id is None


def test_packs_that_were_never_recorded_go_with_what_is_deleted(
    worker: BareWorker, db: Session, ada: User, storage: Storage
) -> None:
    factories.job(db, ada, "My secret")
    db.commit()
    storage.put(f"state/{ada.id}/1-{'ab' * 8}.pack", b"secret")
    turn = claimed(worker, ada)
    complete(worker, turn)
    erasures.want(db, ada.id, turn.held.conversation_id)
    db.commit()

    assert forgetting.carry_out(worker, ada.id)

    assert storage.list(f"state/{ada.id}/") == []


def test_an_answer_whose_commit_went_unanswered_is_ours_and_written_once(
    worker: BareWorker, db: Session, ada: User
) -> None:
    factories.job(db, ada, "One")
    db.commit()
    turn = claimed(worker, ada)
    assert complete(worker, turn) == {turn.held.job_id: True}
    assert complete(worker, turn) == {turn.held.job_id: True}


def test_a_worker_that_gets_its_own_job_again_keeps_hold_of_the_later_attempt() -> None:
    ids = new_id(), new_id(), new_id()
    worker_has = LeasedJobs(LEASE, 600.0)
    first, second = LeasedJob(*ids, attempt=1), LeasedJob(*ids, attempt=2)
    worker_has.add(first)
    worker_has.add(second)
    assert first.is_lost
    assert first.stop.is_set()
    worker_has.remove(first)
    assert worker_has.all() == [second]


def test_a_turn_that_cannot_begin_ends_no_commit_loop(emptied: sa.Engine) -> None:
    assert emptied
    begun: list[int] = []

    def begin(_: object) -> None:
        begun.append(1)
        raise RuntimeError("can't start new thread")

    def close(_: Session, answers: Sequence[FinishedAnswer]) -> dict[UUID, bool]:
        return {one.job_id: True for one in answers}

    def claim(_: Session) -> list[Claim]:
        return claims.pop() if claims else []

    claims = [[Claim(new_id(), new_id(), new_id(), 1, utc_now())]]
    loop = CommitLoop(close, claim, begin)
    loop.start()
    loop.wake()
    ends = time.monotonic() + 5
    while not begun and time.monotonic() < ends:
        time.sleep(0.01)
    answer = FinishedAnswer(new_id(), new_id(), 1, "Lost", "")
    assert loop.submit(answer).result(timeout=5)
    loop.stop()
