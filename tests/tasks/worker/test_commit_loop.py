"""The commit loop: what ended is written, what has room is claimed, and nobody is held up."""

from collections.abc import Generator, Sequence
from concurrent.futures import Future
from datetime import timedelta
from queue import SimpleQueue
from uuid import UUID

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import DataError
from sqlalchemy.orm import Session

from models import jobs
from models.base import new_id
from models.database import unit_of_work
from models.jobs import Claim, FinishedAnswer, LeaseLost
from models.schema.chat import Message, Role
from models.schema.jobs import Job, JobStatus
from models.schema.users import User
from tasks.worker.commit_loop import CommitLoop
from tests import factories
from tests.factories import LEASE

PATIENCE_SECONDS = 10


class Working:
    """A commit loop at work, with room for so many jobs, and what it began."""

    def __init__(self, cells: int) -> None:
        self.id = new_id()
        self.free = cells
        self.cuts = 0
        self.claim_cuts = 0
        self.begun: SimpleQueue[Claim] = SimpleQueue()
        self.commit_loop = CommitLoop(self._close, self._claim, self._begin)

    def next(self) -> Claim:
        return self.begun.get(timeout=PATIENCE_SECONDS)

    def answer(self, claim: Claim, words: str = "Done.") -> Future[bool]:
        self.free += 1
        return self.commit_loop.submit(
            FinishedAnswer(claim.job_id, claim.user_id, claim.attempt, words, "")
        )

    def _close(self, db: Session, answers: Sequence[FinishedAnswer]) -> dict[UUID, bool]:
        if self.cuts:
            self.cuts -= 1
            _cut(db)
        return jobs.complete_many(db, answers, self.id, timedelta(0))

    def _claim(self, db: Session) -> list[Claim]:
        if self.claim_cuts:
            self.claim_cuts -= 1
            _cut(db)
        return jobs.claim_many(db, self.id, LEASE, self.free)

    def _begin(self, claim: Claim) -> None:
        self.free -= 1
        self.begun.put(claim)


@pytest.fixture
def working(emptied: sa.Engine) -> Generator[Working]:
    working = Working(cells=2)
    working.commit_loop.start()
    yield working
    working.commit_loop.stop()


def test_a_nudge_has_as_much_claimed_as_there_is_room_for(working: Working) -> None:
    asked = _ask("ada", "eve", "grace")
    working.commit_loop.wake()

    first, second = working.next(), working.next()

    assert {first.job_id, second.job_id} == set(asked[:2])
    working.answer(first)
    assert working.next().job_id == asked[2]


def test_a_lost_nudge_costs_only_a_wait(working: Working) -> None:
    [asked] = _ask("ada")

    assert working.next().job_id == asked


def test_an_answer_is_committed_when_its_turn_goes_on(working: Working) -> None:
    _ask("ada")
    claim = working.next()

    working.commit_loop.complete(FinishedAnswer(claim.job_id, claim.user_id, 1, "Forty-two.", ""))

    assert _state(claim) == (JobStatus.COMPLETED, ["Forty-two."])


def test_who_lost_the_job_is_told(working: Working) -> None:
    _ask("ada")
    claim = working.next()
    with unit_of_work() as db:
        jobs.requeue(db, db.get_one(Job, claim.job_id), wait=timedelta(0))

    with pytest.raises(LeaseLost):
        working.commit_loop.complete(
            FinishedAnswer(claim.job_id, claim.user_id, 1, "Too late.", "")
        )

    assert _state(claim)[1] == []


@pytest.mark.parametrize(
    ("words", "trouble"), [("NUL: \x00", DataError), ("Half: \ud83d", UnicodeEncodeError)]
)
def test_an_answer_that_cannot_be_written_fails_alone(
    working: Working, words: str, trouble: type[Exception]
) -> None:
    _ask("ada", "eve")
    poisoned, sound = working.next(), working.next()

    refused, written = working.answer(poisoned, words), working.answer(sound)

    assert written.result(PATIENCE_SECONDS)
    assert isinstance(refused.exception(PATIENCE_SECONDS), trouble)
    assert _state(poisoned) == (JobStatus.RUNNING, [])


def test_an_answer_outlives_a_database_that_is_away(working: Working) -> None:
    _ask("ada")
    claim = working.next()
    working.cuts = 2

    assert working.answer(claim, "Still here.").result(PATIENCE_SECONDS)

    assert _state(claim) == (JobStatus.COMPLETED, ["Still here."])


def test_what_waits_is_claimed_when_the_database_is_back(working: Working) -> None:
    working.claim_cuts = 2
    [asked] = _ask("ada")
    working.commit_loop.wake()

    assert working.next().job_id == asked
    assert working.claim_cuts == 0


def test_a_locked_account_holds_up_nobody_else(working: Working, emptied: sa.Engine) -> None:
    _ask("ada", "eve")
    hers, his = working.next(), working.next()
    with Session(emptied) as elsewhere:
        elsewhere.scalar(sa.select(User).where(User.id == hers.user_id).with_for_update())
        held_up = working.answer(hers)
        assert working.answer(his).result(PATIENCE_SECONDS)
        assert not held_up.done()

    assert held_up.result(PATIENCE_SECONDS)


def test_what_was_given_in_is_written_before_it_stops(emptied: sa.Engine) -> None:
    working = Working(cells=1)
    working.commit_loop.start()
    _ask("ada")
    claim = working.next()

    written = working.answer(claim)
    working.commit_loop.stop()

    assert written.result(timeout=0)


def _cut(db: Session) -> None:
    db.execute(sa.text("SELECT pg_terminate_backend(pg_backend_pid())"))


def _ask(*names: str) -> list[UUID]:
    with unit_of_work() as db:
        people = [factories.user(db, f"{name}@example.org") for name in names]
        return [factories.job(db, person).id for person in people]


def _state(claim: Claim) -> tuple[JobStatus, list[str]]:
    with unit_of_work() as db:
        mine = sa.select(Message.text).where(
            Message.job_id == claim.job_id, Message.role == Role.ASSISTANT
        )
        return db.get_one(Job, claim.job_id).status, list(db.scalars(mine))
