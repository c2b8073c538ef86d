"""Money of a payment that is given back takes its credits back, as far as there are any."""

from dataclasses import replace
from datetime import timedelta

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from actions import stripe_events
from models import ledger, payments
from models.base import new_id, utc_now
from models.ledger import freezes
from models.payments import TooEarly, stripe_effects
from models.schema.audits import AuditRule
from models.schema.customer_deletions import CustomerDeletion
from models.schema.jobs import Job, JobStatus
from models.schema.ledger import EntryKind, FreezeReason, Transaction
from models.schema.payments import Payment
from models.schema.users import User
from tests import factories
from tests.payments import GRANT, NOW, TEN, bought, dispute, kinds, notice, refund, spend


def test_taxes_are_paid_and_not_credited(db: Session, ada: User) -> None:
    payment = payments.begin(db, ada.id, TEN)
    db.commit()
    stripe_events.take_in(notice(payment, "paid", paid_cents=1_190))
    stripe_events.take_in(refund(payment, 595))

    db.refresh(ada)
    assert ada.credits_balance_micros == GRANT + TEN // 2


def test_a_share_is_rounded_down(db: Session, ada: User) -> None:
    payment = payments.begin(db, ada.id, TEN)
    db.commit()
    stripe_events.take_in(notice(payment, "paid", paid_cents=1_190))
    db.refresh(payment)

    # A cent of $11.90, taxes included, for $10 of credits: 8,403.36 micros.
    assert stripe_effects.share(payment, 10_000) == 8_403


def test_refunds_take_bought_credits_and_add_up(db: Session, ada: User) -> None:
    payment = bought(db, ada)
    for cents, name in ((400, "re_2"), (300, "re_1"), (400, "re_2")):
        stripe_events.take_in(refund(payment, cents, name))

    db.refresh(ada)
    assert (ada.credits_promotional_micros, ada.credits_bought_micros) == (GRANT, TEN * 3 // 10)
    assert kinds(db, ada)[-1] == (EntryKind.PAYMENT_REFUND, -TEN * 3 // 10, 0)
    assert not ada.is_frozen


def test_a_refund_beyond_what_is_left_is_absorbed_and_freezes(db: Session, ada: User) -> None:
    payment = bought(db, ada)
    spend(db, ada, GRANT + 9_000_000)
    stripe_events.take_in(refund(payment, 1_000))

    db.refresh(ada)
    db.refresh(payment)
    assert (ada.credits_balance_micros, payment.absorbed_micros) == (0, 9_000_000)
    absorbed = db.scalars(
        sa.select(Transaction).where(Transaction.kind == EntryKind.ABSORBED)
    ).one()
    assert absorbed.provider_cost_micros == 9_000_000
    assert ada.is_frozen
    with pytest.raises(ledger.SpendingFrozen) as refusal:
        payments.begin(db, ada.id, TEN)
    assert refusal.value.reason is FreezeReason.REFUND


def test_what_a_running_call_holds_is_not_taken_back(db: Session, ada: User) -> None:
    payment = bought(db, ada)
    held = factories.open_call(db, factories.running(db, ada), 2_000_000)
    db.commit()

    stripe_events.take_in(refund(payment, 1_000))

    db.refresh(ada)
    db.refresh(payment)
    assert held
    assert (ada.credits_balance_micros, ada.credits_held_micros) == (2_000_000, 2_000_000)
    assert payment.absorbed_micros == TEN - GRANT - 8_000_000


def test_a_refund_before_its_payment_comes_again(db: Session, ada: User) -> None:
    payment = payments.begin(db, ada.id, TEN)
    db.commit()
    early = refund(payment, 1_000)
    with pytest.raises(TooEarly):
        stripe_events.take_in(early)
    assert not stripe_effects.known(db, [early.event_id])

    stripe_events.take_in(notice(payment, "paid"))
    assert stripe_events.take_in(early)
    db.refresh(ada)
    assert ada.credits_balance_micros == GRANT


@pytest.mark.parametrize("is_failure_first", [False, True])
def test_a_refund_that_fails_changes_nothing_in_the_end(
    db: Session, ada: User, *, is_failure_first: bool
) -> None:
    payment = bought(db, ada)
    told = [refund(payment, 400), refund(payment, 400, fails=True)]
    for one in reversed(told) if is_failure_first else told:
        stripe_events.take_in(one)
        # Under another event's id, and under its own.
        stripe_events.take_in(replace(one, event_id=f"{one.event_id}_again"))
        assert not stripe_events.take_in(one)

    db.refresh(ada)
    db.refresh(payment)
    assert (ada.credits_promotional_micros, ada.credits_bought_micros) == (GRANT, TEN)
    assert (payment.returned_micros, payment.absorbed_micros) == (0, 0)
    assert not any(ledger.audit(db).values())


def test_what_goes_back_after_a_failure_is_taken_anew(db: Session, ada: User) -> None:
    payment = bought(db, ada)
    stripe_events.take_in(refund(payment, 700, "re_1"))
    stripe_events.take_in(refund(payment, 700, "re_1", fails=True))
    stripe_events.take_in(refund(payment, 700, "re_2"))

    db.refresh(ada)
    assert ada.credits_bought_micros == TEN * 3 // 10
    assert not any(ledger.audit(db).values())


def test_what_goes_back_before_a_failure_is_told_waits_for_that(db: Session, ada: User) -> None:
    payment = bought(db, ada)
    stripe_events.take_in(refund(payment, 700, "re_1"))
    again = refund(payment, 700, "re_2")
    with pytest.raises(TooEarly):
        stripe_events.take_in(again)

    stripe_events.take_in(refund(payment, 700, "re_1", fails=True))
    assert stripe_events.take_in(again)

    db.refresh(ada)
    assert ada.credits_bought_micros == TEN * 3 // 10
    assert not any(ledger.audit(db).values())


def test_a_refund_that_fails_ends_the_freeze_it_had_begun(db: Session, ada: User) -> None:
    payment = bought(db, ada)
    spend(db, ada, GRANT + 9_000_000)
    waiting = refund(payment, 1_000)
    stripe_events.take_in(waiting)
    db.refresh(ada)
    assert (ada.credits_balance_micros, ada.is_frozen) == (0, True)

    stripe_events.take_in(refund(payment, 1_000, fails=True))

    db.refresh(ada)
    assert (ada.credits_bought_micros, ada.is_frozen) == (1_000_000, False)
    costs = sa.select(sa.func.sum(Transaction.provider_cost_micros))
    assert db.scalar(costs.where(Transaction.kind == EntryKind.ABSORBED)) == 0
    assert not any(ledger.audit(db).values())


@pytest.mark.parametrize("owes", ["another refund", "a dispute", "the audit"])
def test_what_else_is_open_keeps_it_frozen(db: Session, ada: User, owes: str) -> None:
    payment, other = bought(db, ada), bought(db, ada)
    spend(db, ada, GRANT + 20_000_000)
    stripe_events.take_in(refund(payment, 1_000))
    match owes:
        case "another refund":
            stripe_events.take_in(refund(other, 1_000, "re_2"))
        case "a dispute":
            stripe_events.take_in(dispute(other, "disputed", "needs_response", 1_000))
        case _:
            ledger.note(db, ledger.Mismatch(ada.id, AuditRule.STRIPE_PAYMENTS, "user", 1))
    db.commit()
    stripe_events.take_in(refund(payment, 1_000, fails=True))

    db.refresh(ada)
    assert ada.is_frozen


def test_what_was_unfrozen_by_hand_is_forgiven(db: Session, ada: User) -> None:
    payment, other = bought(db, ada), bought(db, ada)
    spend(db, ada, GRANT + 20_000_000)
    stripe_events.take_in(refund(payment, 1_000))
    freezes.end(db, ada.id)
    db.commit()
    stripe_events.take_in(refund(other, 1_000, "re_2"))
    stripe_events.take_in(refund(other, 1_000, "re_2", fails=True))

    db.refresh(ada)
    assert not ada.is_frozen


def test_a_failed_refund_lets_paused_messages_go_on(db: Session, ada: User) -> None:
    payment = bought(db, ada)
    stripe_events.take_in(refund(payment, 1_000))
    spend(db, ada, GRANT)
    waiting = factories.job(db, ada)
    assert waiting.status is JobStatus.PAUSED
    db.commit()
    stripe_events.take_in(refund(payment, 1_000, fails=True))

    assert db.get_one(Job, waiting.id, populate_existing=True).status is JobStatus.PENDING


def test_a_refund_of_nobodys_payment_is_wanted_again_for_a_day(db: Session) -> None:
    elsewhere = refund(Payment(id=new_id(), amount_micros=TEN), 1_000)
    with pytest.raises(TooEarly):
        stripe_events.take_in(elsewhere)

    assert not stripe_events.take_in(replace(elsewhere, at=NOW - timedelta(days=1)))
    assert not stripe_effects.known(db, [elsewhere.event_id])


def test_what_an_audit_has_frozen_stays_so_when_a_refund_fails(db: Session, ada: User) -> None:
    payment = bought(db, ada)
    spend(db, ada, GRANT + 9_000_000)
    ledger.freeze(ada, FreezeReason.AUDIT)
    db.commit()

    stripe_events.take_in(refund(payment, 1_000))
    stripe_events.take_in(refund(payment, 1_000, fails=True))

    db.refresh(ada)
    assert ada.spending_frozen_reason is FreezeReason.AUDIT


def test_the_customer_of_an_account_that_was_erased_meanwhile_goes_too(
    db: Session, ada: User
) -> None:
    ada.deleted_at = utc_now()
    db.flush()
    payments.record_customer(db, ada.id, "cus_1")
    assert list(db.scalars(sa.select(CustomerDeletion.customer_id))) == ["cus_1"]
    assert payments.find_account(db, ada.id) is None
