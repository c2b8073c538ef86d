"""Money: what may be written, what is held, and that the books always balance."""

from datetime import timedelta
from uuid import UUID

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy.exc import DatabaseError, IntegrityError
from sqlalchemy.orm import Session

from models import jobs, ledger
from models.base import new_id
from models.chat import conversations
from models.database import unit_of_work
from models.ledger import CallCost
from models.schema.chat import Conversation
from models.schema.failure_codes import FailureCode
from models.schema.jobs import Job
from models.schema.ledger import EntryKind, FreezeReason, Transaction, WriteOffReason
from models.schema.model_calls import CallStatus, ModelCall
from models.schema.users import User
from tests import factories

GRANT = 1_000_000


def cost(charge: int, *, tokens: int = 10) -> CallCost:
    return CallCost(tokens, tokens, 0, 0, charge // 2, charge, "test", is_estimated=False)


def closed(db: Session, job: Job, charge: int, *, held: int = 500_000) -> UUID:
    call_id = factories.open_call(db, job, held)
    ledger.close_call(db, call_id=call_id, status=CallStatus.COMPLETED, cost=cost(charge))
    return call_id


def entries(db: Session, user: User) -> list[tuple[EntryKind, int]]:
    found = db.execute(
        sa.select(Transaction.kind, Transaction.amount_micros)
        .where(Transaction.user_id == user.id)
        .order_by(Transaction.id)
    )
    return [(row[0], row[1]) for row in found]


def test_the_grant_is_the_first_entry(db: Session, ada: User) -> None:
    assert entries(db, ada) == [(EntryKind.GRANT, GRANT)]
    assert ada.credits_balance_micros == GRANT


def test_a_grant_told_twice_counts_once(db: Session, ada: User) -> None:
    ledger.grant(db, ada.id, 5, reference="gift:1")
    ledger.grant(db, ada.id, 5, reference="gift:1")

    assert ada.credits_balance_micros == GRANT + 5
    assert ledger.drift(db, ada.id) == 0


def test_a_hold_cannot_be_spent_twice(db: Session, ada: User) -> None:
    job = factories.running(db, ada)
    factories.open_call(db, job, GRANT - 10)

    assert ada.credits_available_micros == 10
    with pytest.raises(ledger.OutOfCredit):
        factories.open_call(db, job, 11)


def test_a_frozen_account_holds_nothing_more(db: Session, ada: User) -> None:
    job = factories.running(db, ada)
    ledger.freeze(ada, FreezeReason.AUDIT)

    with pytest.raises(ledger.SpendingFrozen):
        factories.open_call(db, job, 10)

    assert ada.credits_held_micros == 0


def test_a_call_becomes_one_charge_however_often_it_is_closed(db: Session, ada: User) -> None:
    job = factories.running(db, ada)
    call_id = closed(db, job, 1_234)

    again = ledger.close_call(db, call_id=call_id, status=CallStatus.COMPLETED, cost=cost(1_234))

    assert again == 0
    assert entries(db, ada)[1:] == [(EntryKind.CHARGE, -1_234)]
    assert ada.credits_held_micros == 0
    assert ada.credits_balance_micros == GRANT - 1_234


def test_a_call_that_costs_more_than_there_is_never_makes_a_debt(db: Session, ada: User) -> None:
    job = factories.running(db, ada)
    closed(db, job, GRANT + 999, held=GRANT)

    assert ada.credits_balance_micros == 0
    assert ledger.drift(db, ada.id) == 0


def test_what_goes_beyond_a_hold_is_at_our_expense(db: Session, ada: User) -> None:
    job = factories.running(db, ada)
    call_id = closed(db, job, 1_000, held=600)

    assert entries(db, ada)[1:] == [(EntryKind.CHARGE, -600), (EntryKind.ABSORBED, 0)]
    costs = sa.select(Transaction.reference, Transaction.provider_cost_micros)
    assert dict(db.execute(costs.where(Transaction.job_id == job.id)).all()) == {
        f"call:{call_id}": 300,
        f"absorbed:call:{call_id}": 200,
    }
    assert not any(ledger.audit(db).values())


def test_a_charge_below_its_hold_has_nothing_absorbed(db: Session, ada: User) -> None:
    closed(db, factories.running(db, ada), 600, held=600)

    assert entries(db, ada)[1:] == [(EntryKind.CHARGE, -600)]


def test_a_call_that_failed_before_anything_came_costs_nothing(db: Session, ada: User) -> None:
    job = factories.running(db, ada)
    call_id = factories.open_call(db, job, 500)
    ledger.close_call(db, call_id=call_id, status=CallStatus.FAILED, cost=cost(0))

    assert entries(db, ada) == [(EntryKind.GRANT, GRANT)]
    assert ada.credits_held_micros == 0


@pytest.mark.parametrize("is_deleted", [True, False])
def test_what_a_provider_says_of_a_deleted_message_is_not_kept(
    db: Session, ada: User, *, is_deleted: bool
) -> None:
    job = factories.running(db, ada)
    call_id = factories.open_call(db, job, 500)
    if is_deleted:
        conversations.erase(db, db.get_one(Conversation, job.conversation_id))
    said = "Hello? is not allowed."
    ledger.close_call(db, call_id=call_id, status=CallStatus.FAILED, cost=cost(0), detail=said)

    assert db.get_one(ModelCall, call_id).detail == (None if is_deleted else said)


def test_a_job_that_failed_gives_back_what_its_calls_cost(db: Session, ada: User) -> None:
    job = factories.running(db, ada)
    closed(db, job, 700)

    jobs.fail(db, job, FailureCode.UNEXPECTED)

    assert entries(db, ada)[1:] == [(EntryKind.CHARGE, -700), (EntryKind.REFUND, 700)]
    assert ada.credits_balance_micros == GRANT


def test_only_the_charges_of_one_attempt_go_back(db: Session, ada: User) -> None:
    job = factories.running(db, ada)
    closed(db, job, 700)
    jobs.requeue(db, job)
    again = factories.claim(db)
    assert again is not None
    closed(db, again, 300)

    back = ledger.refund_job(db, job.id, attempt=again.attempt, reason=WriteOffReason.BEGUN_AGAIN)

    assert (back.micros, back.standing_micros) == (300, 0)
    assert ada.credits_balance_micros == GRANT - 700


def test_who_ran_dry_keeps_the_part_and_pays_for_it(db: Session, ada: User) -> None:
    job = factories.running(db, ada)
    closed(db, job, 700)

    jobs.fail(db, job, FailureCode.NO_CREDIT, answer="A part")

    assert ada.credits_balance_micros == GRANT - 700


def test_a_dead_workers_calls_are_at_our_expense(db: Session, ada: User) -> None:
    job = factories.running(db, ada)
    closed(db, job, 700)
    lost = factories.open_call(db, job, 5_000)

    ledger.absorb_abandoned(db, job.id, attempt=1)

    assert entries(db, ada)[1:] == [
        (EntryKind.CHARGE, -700),
        (EntryKind.ABSORBED, 0),
        (EntryKind.REFUND, 700),
    ]
    assert db.get_one(ModelCall, lost).status is CallStatus.LOST
    assert (ada.credits_balance_micros, ada.credits_held_micros) == (GRANT, 0)


def test_a_call_that_ends_after_its_attempt_was_given_up_is_ours(db: Session, ada: User) -> None:
    job = factories.running(db, ada)
    call_id = factories.open_call(db, job, 5_000)
    job.attempt = 2
    db.flush()

    ledger.close_call(db, call_id=call_id, status=CallStatus.COMPLETED, cost=cost(900))

    assert entries(db, ada)[1:] == [(EntryKind.ABSORBED, 0)]


def test_a_call_left_open_by_an_ended_job_is_absorbed_after_a_while(db: Session, ada: User) -> None:
    job = factories.running(db, ada)
    factories.open_call(db, job, 5_000)
    jobs.stop(db, job)

    assert ledger.orphans(db, timedelta(minutes=1)) == []
    [orphan] = ledger.orphans(db, timedelta(0))
    ledger.lose_call(db, orphan)
    assert ledger.orphans(db, timedelta(0)) == []
    assert ada.credits_held_micros == 0
    assert ada.credits_balance_micros == GRANT


def test_a_call_nobody_opened_cannot_be_closed(db: Session) -> None:
    with pytest.raises(ledger.CallNotOpen):
        ledger.close_call(db, call_id=new_id(), status=CallStatus.COMPLETED, cost=cost(1))


@pytest.mark.parametrize(
    "change", ["UPDATE transactions SET amount_micros = 1", "DELETE FROM transactions"]
)
def test_entries_are_never_changed(db: Session, ada: User, change: str) -> None:
    assert entries(db, ada)
    with pytest.raises(DatabaseError, match="never changed"):
        db.execute(sa.text(change))


def test_the_database_itself_forbids_a_debt(db: Session, ada: User) -> None:
    ada.credits_balance_micros = -1
    with pytest.raises(IntegrityError, match="balance_not_negative"):
        db.flush()


def test_drift_finds_a_single_micro_dollar(db: Session, ada: User) -> None:
    ada.credits_balance_micros += 1
    db.flush()

    assert ledger.drift(db, ada.id) == 1


def test_parallel_calls_never_spend_more_than_there_is(emptied: sa.Engine) -> None:
    with unit_of_work() as setup:
        owner = factories.user(setup, "grace@example.org")
        job = factories.running(setup, owner)

    def _call() -> None:
        with unit_of_work() as db:
            closed(db, db.get_one(Job, job.id), 90_000, held=100_000)

    outcomes = factories.in_parallel(16, _call)

    with Session(emptied) as check:
        after = check.get_one(User, owner.id)
        charged = [amount for kind, amount in entries(check, after) if kind is EntryKind.CHARGE]
        assert -sum(charged) == GRANT - after.credits_balance_micros
        assert after.credits_held_micros == 0
        assert ledger.drift(check, owner.id) == 0
        assert len(charged) == sum(outcome is None for outcome in outcomes)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    steps=st.lists(
        st.tuples(st.sampled_from(["open", "close", "absorb"]), st.integers(1, 400_000)),
        max_size=20,
    )
)
def test_whatever_happens_the_books_balance(db: Session, steps: list[tuple[str, int]]) -> None:
    owner = factories.user(db, f"{new_id()}@example.org")
    job = factories.running(db, owner)
    waiting: list[UUID] = []
    for step, micros in steps:
        if step == "open":
            try:
                waiting.append(factories.open_call(db, job, micros))
            except ledger.OutOfCredit:
                assert owner.credits_available_micros < micros
        elif step == "close" and waiting:
            ledger.close_call(
                db, call_id=waiting.pop(), status=CallStatus.COMPLETED, cost=cost(micros)
            )
        elif step == "absorb":
            ledger.absorb_abandoned(db, job.id, job.attempt)
            waiting.clear()
        assert owner.credits_balance_micros >= owner.credits_held_micros >= 0
        assert ledger.drift(db, owner.id) == 0
    jobs.stop(db, job)
