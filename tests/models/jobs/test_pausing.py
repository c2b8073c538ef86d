"""Messages that wait for credits."""

from datetime import timedelta

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from models import jobs, ledger
from models.base import new_id
from models.jobs.cancellation import cancel
from models.ledger.entries import record
from models.schema.failure_codes import FailureCode
from models.schema.jobs import Job, JobStatus
from models.schema.ledger import EntryKind, FreezeReason, Transaction
from models.schema.model_calls import CallStatus
from models.schema.users import User
from settings import get_settings
from tasks import upkeep
from tests import factories
from tests.factories import MODEL
from tests.models.ledger.test_entries import cost


def run_dry(db: Session, user: User, *, left: int = 0) -> None:
    spent = user.credits_balance_micros - left
    entry = Transaction(kind=EntryKind.CHARGE, amount_micros=-spent, reference=f"spent:{new_id()}")
    assert record(db, user, entry)


def statuses(db: Session, user: User) -> list[tuple[JobStatus, bool]]:
    rows = db.execute(
        sa.select(Job.status, Job.is_head).where(Job.user_id == user.id).order_by(Job.id)
    )
    return [(row[0], row[1]) for row in rows]


def test_paused_messages_go_on_in_their_order_with_new_credits(db: Session, ada: User) -> None:
    run_dry(db, ada)
    first, second = factories.job(db, ada, "One"), factories.job(db, ada, "Two")

    factories.gift(db, ada.id, 1_000, reference="gift")

    assert statuses(db, ada) == [(JobStatus.PENDING, True), (JobStatus.PENDING, False)]
    claimed = factories.claim(db)
    assert claimed is not None
    assert claimed.id == first.id
    factories.answer(db, first)
    following = factories.claim(db)
    assert following is not None
    assert following.id == second.id


def test_a_job_that_runs_dry_pauses_its_lane_and_costs_nothing(db: Session, ada: User) -> None:
    job = factories.running(db, ada)
    factories.charge(db, job, 700)
    factories.job(db, ada, "Behind it")
    before = ada.credits_balance_micros

    assert jobs.pause(db, job)

    assert ada.credits_balance_micros == before + 700
    assert statuses(db, ada) == [(JobStatus.PAUSED, False)] * 2
    assert (job.lease_until, job.worker_id) == (None, None)
    assert factories.claim(db) is None
    with pytest.raises(jobs.LeaseLost):
        jobs.lock_lease(db, job.id, job.attempt)


def test_a_call_that_closes_after_its_job_was_paused_is_at_our_expense(
    db: Session, ada: User
) -> None:
    job = factories.running(db, ada)
    call_id = factories.open_call(db, job, 500)
    jobs.pause(db, job)

    paid = ledger.close_call(db, call_id=call_id, status=CallStatus.CUT, cost=cost(300))

    assert paid == 0
    assert ledger.drift(db, ada.id) == 0


def test_a_later_message_never_goes_before_a_paused_one(db: Session, ada: User) -> None:
    jobs.pause(db, factories.running(db, ada))
    # Enough for a cheap one, and too little for what was asked before.
    later = factories.job(db, ada, "A short one")
    assert later.status is JobStatus.PAUSED

    resumed = jobs.resume(db, ada.id)
    assert [job.is_head for job in resumed] == [True, False]


def test_only_so_many_messages_wait_for_credits(db: Session, ada: User) -> None:
    run_dry(db, ada)
    for _ in range(get_settings().max_waiting_jobs_per_user):
        factories.job(db, ada)
    with pytest.raises(jobs.TooManyWaiting):
        factories.job(db, ada)


def test_paused_messages_take_no_place_in_the_queue(db: Session, ada: User, eve: User) -> None:
    run_dry(db, ada)
    factories.job(db, ada)
    mine = factories.job(db, eve)

    assert jobs.position(db, mine) == 0
    assert jobs.count_claimable(db) == 1


def test_a_paused_message_can_be_taken_back(db: Session, ada: User) -> None:
    run_dry(db, ada)
    job = factories.job(db, ada)
    assert cancel(db, ada.id, job.id).status is JobStatus.CANCELLED

    factories.gift(db, ada.id, 1_000, reference="gift")
    assert factories.claim(db) is None


def test_a_paused_message_is_not_asked_twice(db: Session, ada: User) -> None:
    run_dry(db, ada)
    job = factories.job(db, ada)
    cancel(db, ada.id, job.id)
    again = jobs.ask_again(db, job, model=MODEL)
    assert again.status is JobStatus.PAUSED
    with pytest.raises(jobs.AlreadyAnswered):
        jobs.ask_again(db, job, model=MODEL)
    with pytest.raises(IntegrityError, match="uq_jobs_message_id"):
        job.status, job.finished_at = JobStatus.PENDING, None
        db.flush()


def test_nothing_is_resumed_while_there_is_nothing_paused(db: Session, ada: User) -> None:
    running = factories.running(db, ada)
    assert jobs.resume(db, ada.id) == []
    db.refresh(running)
    assert running.status is JobStatus.RUNNING


def test_who_is_frozen_sends_nothing(db: Session, ada: User) -> None:
    ledger.freeze(ada, FreezeReason.AUDIT)
    with pytest.raises(ledger.SpendingFrozen):
        factories.job(db, ada)
    ledger.unfreeze(ada)
    assert factories.job(db, ada).is_head


def test_while_an_account_is_frozen_nothing_goes_on(db: Session, ada: User) -> None:
    run_dry(db, ada)
    factories.job(db, ada)
    ledger.freeze(ada, FreezeReason.AUDIT)

    factories.gift(db, ada.id, 1_000, reference="gift")
    assert statuses(db, ada) == [(JobStatus.PAUSED, False)]

    ledger.unfreeze(ada)
    assert len(jobs.resume(db, ada.id)) == 1
    assert statuses(db, ada) == [(JobStatus.PENDING, True)]


def test_what_a_running_call_holds_is_no_lack_of_credits(db: Session, ada: User) -> None:
    first = factories.running(db, ada, "One")
    factories.open_call(db, first, ada.credits_balance_micros)
    factories.job(db, ada, "Two")
    assert statuses(db, ada)[1] == (JobStatus.PENDING, False)


def test_what_came_before_a_charge_was_given_back_goes_on_by_itself(db: Session, ada: User) -> None:
    run_dry(db, ada, left=400_000)
    first = factories.running(db, ada, "One")
    factories.charge(db, first, 400_000)
    factories.job(db, ada, "Two")
    assert statuses(db, ada)[1] == (JobStatus.PAUSED, False)
    jobs.fail(db, first, FailureCode.PROVIDER_DOWN)
    db.commit()

    upkeep.resume_held_up()

    db.expire_all()
    assert statuses(db, ada)[1] == (JobStatus.PENDING, True)


def test_what_waits_behind_a_message_that_was_taken_back_goes_on(db: Session, ada: User) -> None:
    run_dry(db, ada, left=100)
    dear = factories.running(db, ada, "One")
    factories.job(db, ada, "Two")
    assert jobs.pause(db, dear)
    assert cancel(db, ada.id, dear.id)
    db.commit()

    upkeep.resume_held_up()

    db.expire_all()
    assert statuses(db, ada)[1] == (JobStatus.PENDING, True)


def test_what_has_run_dry_is_not_tried_again_without_new_credits(db: Session, ada: User) -> None:
    run_dry(db, ada, left=100)
    job = factories.running(db, ada)
    assert jobs.pause(db, job)
    db.commit()
    upkeep.resume_held_up()

    db.expire_all()
    assert statuses(db, ada) == [(JobStatus.PAUSED, False)]


def test_a_call_of_an_attempt_that_was_given_up_holds_nothing_for_long(
    db: Session, ada: User
) -> None:
    job = factories.running(db, ada)
    factories.open_call(db, job, ada.credits_available_micros)
    jobs.requeue(db, job)
    again = factories.claim(db)
    assert again is not None
    assert jobs.pause(db, again)
    db.commit()

    upkeep.absorb_orphans(timedelta(0))

    db.refresh(ada)
    assert ada.credits_held_micros == 0
    assert statuses(db, ada) == [(JobStatus.PENDING, True)]


def test_who_stops_what_runs_dry_has_stopped_it(db: Session, ada: User) -> None:
    job = factories.running(db, ada)
    cancel(db, ada.id, job.id)
    assert jobs.pause(db, job)
    assert job.status is JobStatus.CANCELLED
