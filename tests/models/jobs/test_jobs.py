"""Lanes, claims, leases and ends of jobs."""

from collections.abc import Callable, Generator
from datetime import timedelta
from uuid import UUID

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from models import jobs
from models.base import new_id, utc_now
from models.chat import conversations
from models.database import unit_of_work
from models.ledger.entries import record
from models.ops import workers
from models.people import users
from models.schema.chat import Message, Role
from models.schema.failure_codes import FailureCode
from models.schema.jobs import Job, JobStatus
from models.schema.ledger import EntryKind, Transaction
from models.schema.users import User
from settings import Settings, get_settings
from tests import factories
from tests.factories import LEASE, MODEL, SOMEBODY

ELSEWHERE: UUID = new_id()


def test_asking_writes_the_message_and_its_job_together(db: Session, ada: User) -> None:
    job = factories.job(db, ada, "What grows in shade?")

    assert job.status is JobStatus.PENDING
    assert job.is_head
    assert db.get_one(Message, job.message_id).text == "What grows in shade?"


def test_an_empty_message_is_refused(db: Session, ada: User) -> None:
    with pytest.raises(jobs.NothingToSend):
        factories.job(db, ada, "  \n ")


def test_a_message_without_credit_waits_for_some(db: Session, ada: User) -> None:
    _spend(db, ada, ada.credits_balance_micros)

    job = factories.job(db, ada)

    assert (job.status, job.is_head) == (JobStatus.PAUSED, False)
    assert factories.claim(db) is None
    assert jobs.position(db, job) is None


def test_one_person_can_have_only_so_many_waiting(db: Session, ada: User) -> None:
    for _ in range(get_settings().max_waiting_jobs_per_user):
        factories.job(db, ada)

    with pytest.raises(jobs.TooManyWaiting):
        factories.job(db, ada)


@pytest.fixture
def room_for_one(db: Session, monkeypatch: pytest.MonkeyPatch) -> Generator[None]:
    """A queue in which only one person may wait."""
    with monkeypatch.context() as changed:
        changed.setenv("MAX_WAITING_USERS", "1")
        get_settings.cache_clear()
        yield
    get_settings.cache_clear()


@pytest.mark.usefixtures("room_for_one")
def test_a_full_queue_takes_nobody_new_until_somebody_was_claimed(
    db: Session, ada: User, eve: User
) -> None:
    factories.job(db, ada)
    factories.job(db, ada)
    with pytest.raises(jobs.TooManyUsersWaiting):
        factories.job(db, eve)

    factories.claim(db)

    assert factories.job(db, eve).is_head


def test_a_persons_messages_are_answered_one_at_a_time_and_in_order(db: Session, ada: User) -> None:
    first, second = factories.job(db, ada, "One?"), factories.job(db, ada, "Two?")

    claimed = factories.claim(db)
    assert claimed is not None
    assert claimed.id == first.id
    assert factories.claim(db) is None

    factories.answer(db, first, "1.", "<p>1.</p>")
    following = factories.claim(db)
    assert following is not None
    assert following.id == second.id


def test_people_take_turns_whoever_has_more_waiting(db: Session, ada: User, eve: User) -> None:
    for number in range(5):
        factories.job(db, ada, f"Ada {number}")
    factories.job(db, eve, "Eve 0")

    order: list[UUID] = []
    while claimed := factories.claim(db):
        order.append(claimed.user_id)
        factories.answer(db, claimed, "Done.", "")

    assert order[:3] == [ada.id, eve.id, ada.id]


def test_two_workers_never_claim_the_same_job(emptied: sa.Engine) -> None:
    with unit_of_work() as setup:
        for email in ("grace@example.org", "mary@example.org"):
            factories.job(setup, factories.user(setup, email))
    with Session(emptied) as one, Session(emptied) as two, Session(emptied) as three:
        claims = [factories.claim(worker) for worker in (one, two, three)]

        assert claims[0] is not None
        assert claims[1] is not None
        assert claims[0].id != claims[1].id
        assert claims[2] is None


def test_the_database_itself_forbids_two_heads_in_one_lane(db: Session, ada: User) -> None:
    factories.job(db, ada)
    second = factories.job(db, ada)

    second.is_head = True
    with pytest.raises(IntegrityError, match="uq_jobs_head"):
        db.flush()


def test_who_lost_the_lease_can_write_nothing_more(db: Session, ada: User) -> None:
    job = factories.running(db, ada)
    jobs.requeue(db, job, wait=timedelta(0))
    again = factories.claim(db, ELSEWHERE)
    assert again is not None

    with pytest.raises(jobs.LeaseLost):
        jobs.lock_lease(db, job.id, attempt=1)
    assert jobs.lock_lease(db, job.id, attempt=2).id == job.id


def test_a_message_is_answered_once_even_if_two_answers_are_written(db: Session, ada: User) -> None:
    job = factories.running(db, ada)
    factories.answer(db, job, "Once.", "")
    conversation = conversations.find_own(db, ada.id, job.conversation_id)

    with pytest.raises(IntegrityError, match="uq_messages_answer"):
        conversations.say(db, conversation, Role.ASSISTANT, "Twice.", job_id=job.id)


def test_renewing_keeps_a_job_and_tells_who_was_asked_to_stop(db: Session, ada: User) -> None:
    job = factories.running(db, ada)
    before = job.lease_until

    assert jobs.renew(db, {job.id: 1}, timedelta(minutes=5)) == {job.id: False}
    db.refresh(job)
    assert before is not None
    assert job.lease_until is not None
    assert job.lease_until > before

    job.stop_requested_at = utc_now()
    db.flush()
    assert jobs.renew(db, {job.id: 1}, LEASE) == {job.id: True}
    assert jobs.renew(db, {job.id: 2}, LEASE) == {}


def test_a_silent_workers_job_goes_to_another(db: Session, ada: User) -> None:
    job = factories.running(db, ada)
    assert factories.reap_expired(db) == []

    _let_the_lease_run_out(db, job)
    assert [released.id for released in factories.reap_expired(db)] == [job.id]
    again = factories.claim(db, ELSEWHERE)
    assert again is not None
    assert again.attempt == 2


def test_a_silent_workers_job_that_was_to_stop_is_over(db: Session, ada: User) -> None:
    job, following = factories.running(db, ada), factories.job(db, ada)
    job.stop_requested_at = utc_now()
    _let_the_lease_run_out(db, job)

    factories.reap_expired(db)

    assert (job.status, job.worker_id) == (JobStatus.CANCELLED, SOMEBODY)
    db.refresh(following)
    assert following.is_head


def test_a_silent_workers_job_goes_to_another_at_once(db: Session, ada: User) -> None:
    _is_hot(db, ada)
    job = factories.running(db, ada)
    assert job.preferred_worker_id == SOMEBODY
    _let_the_lease_run_out(db, job)

    factories.reap_expired(db)

    assert factories.claim(db, ELSEWHERE) is not None


def test_a_job_that_is_to_wait_is_not_claimed(db: Session, ada: User) -> None:
    job = factories.running(db, ada)
    jobs.requeue(db, job, wait=timedelta(minutes=1))
    assert factories.claim(db, ELSEWHERE) is None

    job.ready_at = utc_now() - timedelta(seconds=1)
    db.flush()
    assert factories.claim(db, ELSEWHERE) is not None


def test_each_further_try_waits_twice_as_long(adjust: Callable[..., None]) -> None:
    adjust(JOB_RETRY_DELAY_SECONDS="3")
    waits = [jobs.retry_delay(attempt).total_seconds() for attempt in (1, 2, 3)]
    assert waits == [3, 6, 12]


def test_who_was_given_up_is_tried_again_before_those_who_came_later(
    db: Session, ada: User, eve: User
) -> None:
    hers = factories.running(db, ada)
    factories.job(db, eve)
    _let_the_lease_run_out(db, hers)

    factories.reap_expired(db)

    again = factories.claim(db, ELSEWHERE)
    assert again is not None
    assert again.id == hers.id


def test_a_poisoned_job_fails_after_the_last_attempt_and_frees_the_lane(
    db: Session, ada: User
) -> None:
    poisoned, following = factories.job(db, ada), factories.job(db, ada)
    for _ in range(get_settings().job_max_attempts):
        claimed = factories.claim(db)
        assert claimed is not None
        assert claimed.id == poisoned.id
        _let_the_lease_run_out(db, claimed)
        factories.reap_expired(db)

    db.refresh(poisoned)
    assert poisoned.status is JobStatus.FAILED
    assert poisoned.failure_code == "worker_lost"
    db.refresh(following)
    assert following.is_head


def test_a_failed_message_can_be_asked_again_but_only_once_at_a_time(
    db: Session, ada: User
) -> None:
    job = factories.running(db, ada)
    jobs.fail(db, job, FailureCode.UNEXPECTED)

    again = jobs.ask_again(db, job, model=MODEL)
    assert again.message_id == job.message_id
    with pytest.raises(jobs.AlreadyAnswered):
        jobs.ask_again(db, job, model=MODEL)


def test_stopping_keeps_what_was_written(db: Session, ada: User) -> None:
    job = factories.running(db, ada)

    reply = jobs.stop(db, job, answer="Half an ans", html="<p>Half an ans</p>")

    assert job.status is JobStatus.CANCELLED
    assert reply is not None
    assert db.get_one(Message, reply.id).text == "Half an ans"


def test_the_position_counts_the_people_who_go_before(db: Session, ada: User, eve: User) -> None:
    for _ in range(3):
        factories.job(db, eve)
    first, second = factories.job(db, ada), factories.job(db, ada)

    assert jobs.position(db, first) == 1
    assert jobs.position(db, second) is None
    factories.claim(db)
    assert jobs.position(db, first) == 0
    factories.claim(db)
    assert jobs.position(db, first) is None


def test_who_waits_for_the_worker_with_their_files_is_before_nobody(
    db: Session, ada: User, eve: User
) -> None:
    _is_hot(db, eve)
    hers, mine = factories.job(db, eve), factories.job(db, ada)

    assert jobs.position(db, mine) == 0
    hers.preferred_until = utc_now()
    db.flush()
    assert jobs.position(db, mine) == 1


def test_nobody_is_before_one_whose_own_worker_goes_first(
    db: Session, ada: User, eve: User
) -> None:
    factories.job(db, eve)
    _is_hot(db, ada)

    assert jobs.position(db, factories.job(db, ada)) == 0


def test_who_is_tried_again_later_is_behind_those_who_wait_now(
    db: Session, ada: User, eve: User
) -> None:
    hers = factories.running(db, eve)
    mine = factories.job(db, ada)
    jobs.requeue(db, hers, wait=timedelta(minutes=1))

    assert jobs.position(db, mine) == 0
    assert jobs.position(db, hers) == 1


def test_the_worker_with_the_live_files_goes_first_for_a_while(db: Session, ada: User) -> None:
    ada.cell_worker_id, ada.cell_worker_until = SOMEBODY, utc_now()
    job = factories.job(db, ada)

    assert factories.claim(db, ELSEWHERE) is None
    job.preferred_until = utc_now() - timedelta(seconds=1)
    db.flush()
    assert factories.claim(db, ELSEWHERE) is not None


def test_nobody_waits_for_a_cell_that_has_been_idle_for_too_long(
    db: Session, ada: User, settings: Settings
) -> None:
    kept = timedelta(seconds=settings.hot_cell_idle_seconds)
    ada.cell_worker_id, ada.cell_worker_until = SOMEBODY, utc_now() - kept
    job = factories.job(db, ada)

    assert job.preferred_worker_id is None
    assert factories.claim(db, ELSEWHERE) is not None


def test_nobody_waits_for_a_worker_that_has_signed_off(db: Session, ada: User) -> None:
    workers.register(db, SOMEBODY, "here")
    workers.sign_off(db, SOMEBODY)
    _is_hot(db, ada)
    job = factories.job(db, ada)

    assert job.preferred_worker_id is None
    assert factories.claim(db, ELSEWHERE) is not None


def test_nobody_waits_for_a_worker_that_is_about_to_stop(db: Session, ada: User, eve: User) -> None:
    workers.register(db, SOMEBODY, "here")
    _is_hot(db, ada)
    assert factories.job(db, ada).preferred_worker_id == SOMEBODY
    assert factories.claim(db, ELSEWHERE) is None

    workers.drain(db, SOMEBODY)
    jobs.drop_affinity(db, SOMEBODY)
    assert factories.claim(db, ELSEWHERE) is not None
    _is_hot(db, eve)
    assert factories.job(db, eve).preferred_worker_id is None


def test_whoever_s_files_it_still_saves_waits_for_that_and_no_longer(
    db: Session, ada: User
) -> None:
    workers.register(db, SOMEBODY, "here")
    ada.cell_worker_id, ada.cell_worker_until = SOMEBODY, utc_now() + timedelta(minutes=1)
    factories.job(db, ada)

    workers.drain(db, SOMEBODY)
    jobs.drop_affinity(db, SOMEBODY)
    assert factories.claim(db, ELSEWHERE) is None
    jobs.release_affinity(db, ada, SOMEBODY)
    assert factories.claim(db, ELSEWHERE) is not None


def test_nobody_waits_for_the_files_of_a_dead_worker(db: Session, ada: User) -> None:
    workers.register(db, SOMEBODY, "here")
    ada.cell_worker_id, ada.cell_worker_until = SOMEBODY, utc_now() + timedelta(minutes=1)
    factories.job(db, ada)

    jobs.drop_affinity_of_dead(db, LEASE)
    assert factories.claim(db, ELSEWHERE) is None
    workers.sign_off(db, SOMEBODY)
    jobs.drop_affinity_of_dead(db, LEASE)
    assert factories.claim(db, ELSEWHERE) is not None


def test_a_worker_without_room_claims_only_for_its_hot_people(
    db: Session, ada: User, eve: User
) -> None:
    factories.job(db, ada)

    assert factories.claim(db, only=[eve.id]) is None
    assert factories.claim(db, only=[ada.id]) is not None


def test_concurrent_asking_leaves_exactly_one_head(emptied: sa.Engine) -> None:
    with unit_of_work() as setup:
        owner = factories.user(setup, "grace@example.org")
    factories.in_parallel(8, lambda: _ask(owner.id))

    with Session(emptied) as check:
        heads = check.scalar(sa.select(sa.func.count()).where(Job.is_head))
        total = check.scalar(sa.select(sa.func.count(Job.id)))
    assert (heads, total) == (1, 8)


def _is_hot(db: Session, user: User) -> None:
    users.set_affinity(user, SOMEBODY, utc_now())
    db.flush()


def _ask(user_id: UUID) -> None:
    with unit_of_work() as db:
        factories.job(db, db.get_one(User, user_id))


def _let_the_lease_run_out(db: Session, job: Job) -> None:
    job.lease_until = utc_now() - timedelta(seconds=1)
    db.flush()


def _spend(db: Session, user: User, micros: int) -> None:
    entry = Transaction(kind=EntryKind.CHARGE, amount_micros=-micros, reference=f"spent:{new_id()}")
    assert record(db, user, entry)
