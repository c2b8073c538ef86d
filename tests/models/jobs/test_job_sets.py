"""Jobs claimed and completed by the set: each on its own merits, none twice, lanes in order."""

import threading
from collections import defaultdict
from collections.abc import Callable, Generator
from datetime import timedelta
from uuid import UUID

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from models import jobs
from models.base import new_id, utc_now
from models.chat import conversations
from models.database import unit_of_work
from models.jobs import Claim, FinishedAnswer
from models.jobs.claiming import CLAIM
from models.schema.chat import Message, Role
from models.schema.jobs import Job, JobStatus
from models.schema.users import User
from settings import get_settings
from tests import factories
from tests.factories import LEASE, SOMEBODY

NO_TIME = timedelta(0)
SAVE_TIME = timedelta(minutes=1)


def test_a_claim_takes_what_there_is_room_for_and_one_job_of_each_person(
    db: Session, ada: User, eve: User
) -> None:
    hers = [factories.job(db, ada), factories.job(db, ada)]
    his = factories.job(db, eve)
    grace = factories.job(db, factories.user(db, "grace@example.org"))

    assert [claim.job_id for claim in jobs.claim_many(db, SOMEBODY, LEASE, 1)] == [hers[0].id]
    claims = jobs.claim_many(db, SOMEBODY, LEASE, 5)
    assert {claim.job_id for claim in claims} == {his.id, grace.id}
    assert {claim.attempt for claim in claims} == {1}


def test_the_queue_is_of_those_whom_nobody_serves(db: Session, ada: User, eve: User) -> None:
    def waiting(*served: User) -> tuple[int, float]:
        queue = jobs.queue(db, SOMEBODY, besides=[one.id for one in served])
        return queue.people, round(queue.longest_seconds, -1)

    assert waiting() == (0, 0)
    first, second = factories.job(db, ada), factories.job(db, eve)
    now = utc_now()
    first.ready_at, second.ready_at = now - timedelta(seconds=60), now - timedelta(seconds=30)
    db.flush()

    factories.job(db, ada)
    assert waiting() == (2, 60), "of each person the head"
    assert waiting(ada) == (1, 30)
    assert waiting(ada, eve) == (0, 0)
    first.preferred_worker_id, first.preferred_until = new_id(), now + timedelta(minutes=1)
    db.flush()
    assert waiting() == (1, 30), "the first waits for its own cell"


def test_a_set_of_answers_closes_its_jobs_and_moves_the_next_ones_up(
    db: Session, ada: User, eve: User
) -> None:
    done = [factories.running(db, ada), factories.running(db, eve)]
    following = factories.job(db, ada)

    written = jobs.complete_many(
        db, [factories.finished(job, f"For {job.id}") for job in done], SOMEBODY, SAVE_TIME
    )

    assert written == {job.id: True for job in done}
    for job in done:
        db.refresh(job)
        assert job.status is JobStatus.COMPLETED
        assert _answers(db, job) == [f"For {job.id}"]
    db.refresh(following)
    assert following.is_head


def test_nothing_is_written_for_a_job_that_is_not_ours_any_more(
    db: Session, ada: User, eve: User
) -> None:
    lost, kept = factories.running(db, ada), factories.running(db, eve)
    late = factories.finished(lost, "Too late.")
    jobs.requeue(db, lost, wait=NO_TIME)
    again = factories.claim(db)
    assert again is not None

    answers = [late, factories.finished(kept)]
    assert jobs.complete_many(db, answers, SOMEBODY, SAVE_TIME) == {lost.id: False, kept.id: True}

    db.refresh(again)
    assert again.status is JobStatus.RUNNING
    assert _answers(db, lost) == []
    assert ada.cell_worker_id is None


def test_what_is_over_is_not_completed_any_more(db: Session, ada: User) -> None:
    job = factories.running(db, ada)
    jobs.stop(db, job)

    assert jobs.complete_many(db, [factories.finished(job)], SOMEBODY, NO_TIME) == {job.id: False}

    db.refresh(job)
    assert job.status is JobStatus.CANCELLED
    assert _answers(db, job) == []


def test_only_the_worker_that_saves_the_files_may_take_the_next_job(
    db: Session, ada: User, adjust: Callable[..., None]
) -> None:
    # Nobody else waits for who has the files once they are saved.
    adjust(HOT_CELL_PREFERENCE_SECONDS="0")
    job = factories.running(db, ada)
    factories.job(db, ada)
    jobs.complete_many(db, [factories.finished(job)], SOMEBODY, SAVE_TIME)

    assert factories.claim(db, new_id()) is None
    assert factories.claim(db, SOMEBODY) is not None


def test_nothing_is_kept_of_an_answer_for_a_deleted_conversation(db: Session, ada: User) -> None:
    job = factories.running(db, ada)
    conversations.erase(db, conversations.find_own(db, ada.id, job.conversation_id))
    db.flush()

    factories.answer(db, job, "A secret")

    assert job.status is JobStatus.COMPLETED
    assert _answers(db, job) == []


def test_a_person_whose_account_is_locked_holds_nobody_up(emptied: sa.Engine) -> None:
    with unit_of_work() as setup:
        hers = factories.running(setup, factories.user(setup, "ada@example.org"))
        his = factories.running(setup, factories.user(setup, "eve@example.org"))
        answers = [factories.finished(hers), factories.finished(his)]
    with Session(emptied) as elsewhere:
        elsewhere.scalar(sa.select(User).where(User.id == hers.user_id).with_for_update())
        with unit_of_work() as db:
            assert jobs.complete_many(db, answers, SOMEBODY, SAVE_TIME) == {his.id: True}
    with unit_of_work() as db:
        assert jobs.complete_many(db, answers[:1], SOMEBODY, SAVE_TIME) == {hers.id: True}


def test_what_the_database_refuses_undoes_the_whole_set(emptied: sa.Engine) -> None:
    with unit_of_work() as setup:
        poisoned = factories.running(setup, factories.user(setup, "ada@example.org"))
        sound = factories.running(setup, factories.user(setup, "eve@example.org"))
    answers = [factories.finished(sound), factories.finished(poisoned, "NUL: \x00")]

    with pytest.raises(DBAPIError), unit_of_work() as db:
        jobs.complete_many(db, answers, SOMEBODY, SAVE_TIME)

    with unit_of_work() as db:
        assert db.get_one(Job, sound.id).status is JobStatus.RUNNING


@pytest.fixture
def no_patience(monkeypatch: pytest.MonkeyPatch) -> Generator[None]:
    """Nobody waits for the worker that had them last, so lanes wander."""
    with monkeypatch.context() as changed:
        changed.setenv("HOT_CELL_PREFERENCE_SECONDS", "0")
        get_settings.cache_clear()
        yield
    get_settings.cache_clear()


@pytest.mark.usefixtures("no_patience")
def test_many_workers_at_once_take_no_job_twice_and_keep_each_lane_in_order(
    emptied: sa.Engine,
) -> None:
    people, length, workers = 6, 5, 4
    lanes: dict[UUID, list[UUID]] = {}
    with unit_of_work() as setup:
        for number in range(people):
            owner = factories.user(setup, f"person-{number}@example.org")
            lanes[owner.id] = [factories.job(setup, owner).id for _ in range(length)]
    seen = _Seen(people * length)

    failures = factories.in_parallel(workers, lambda: _work(seen))

    assert failures == [None] * workers
    assert seen.by_person == lanes
    assert seen.most_running_of_one == 1


def test_the_claim_reads_the_small_index_however_much_there_is(emptied: sa.Engine) -> None:
    with unit_of_work() as setup:
        owner = factories.user(setup, "grace@example.org")
        head = factories.job(setup, owner)
        setup.execute(sa.text(_MANY_WAITING_AND_OVER), {"head": head.id})
    with emptied.connect() as connection:
        connection.execute(sa.text("ANALYZE jobs"))
        bare = {"only": None, "providers": None, "channels": None}
        given = {"worker_id": SOMEBODY, "lease": LEASE, "limit": 20, **bare}
        explained = sa.text(f"EXPLAIN {CLAIM.text}")
        plan = "\n".join(connection.scalars(explained, given))

    assert "Index Scan using ix_jobs_claimable" in plan
    assert "Index Cond: (ready_at <= statement_timestamp())" in plan
    assert "Seq Scan" not in plan
    assert "Sort" not in plan


_MANY_WAITING_AND_OVER = """
    INSERT INTO jobs (id, user_id, conversation_id, model, status, is_head, finished_at)
    SELECT gen_random_uuid(), user_id, conversation_id, model, over.status, false, over.at
    FROM jobs, (VALUES ('pending', NULL), ('completed', now())) AS over (status, at),
         generate_series(1, 5000)
    WHERE id = :head
"""


class _Seen:
    """What workers claimed, in order, and how many of one person's jobs ran at once."""

    def __init__(self, wanted: int) -> None:
        self.by_person: dict[UUID, list[UUID]] = defaultdict(list)
        self.most_running_of_one = 0
        self._left = wanted
        self._running: dict[UUID, int] = defaultdict(int)
        self._lock = threading.Lock()

    def is_over(self) -> bool:
        return self._left <= 0

    def began(self, claims: list[Claim]) -> None:
        with self._lock:
            for claim in claims:
                self.by_person[claim.user_id].append(claim.job_id)
                self._running[claim.user_id] += 1
                most = max(self.most_running_of_one, self._running[claim.user_id])
                self.most_running_of_one = most

    def ends(self, claims: list[Claim]) -> None:
        with self._lock:
            self._left -= len(claims)
            for claim in claims:
                self._running[claim.user_id] -= 1


def _work(seen: _Seen) -> None:
    """Claim and complete as a commit loop does, in one transaction, and renew in between."""
    worker, held = new_id(), list[Claim]()
    while not seen.is_over():
        with unit_of_work() as db:
            jobs.renew(db, {claim.job_id: claim.attempt for claim in held}, LEASE)
        # Before the commit: afterwards another worker may claim the next one.
        seen.ends(held)
        with unit_of_work() as db:
            assert _complete(db, held, worker) == {claim.job_id: True for claim in held}
            held = jobs.claim_many(db, worker, LEASE, 3)
        seen.began(held)


def _complete(db: Session, held: list[Claim], worker: UUID) -> dict[UUID, bool]:
    answers = [FinishedAnswer(one.job_id, one.user_id, one.attempt, "Done.", "") for one in held]
    return jobs.complete_many(db, answers, worker, NO_TIME)


def _answers(db: Session, job: Job) -> list[str]:
    mine = sa.select(Message.text).where(Message.job_id == job.id, Message.role == Role.ASSISTANT)
    return list(db.scalars(mine))
