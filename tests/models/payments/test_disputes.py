"""Payments that a bank takes back, and gives back when the dispute is won."""

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from actions import stripe_events
from models import ledger, payments
from models.payments import TooEarly
from models.schema.ledger import EntryKind, FreezeReason, Transaction
from models.schema.users import User
from tests.payments import GRANT, TEN, bought, dispute, spend


def test_a_dispute_takes_the_credits_and_a_won_one_brings_them_back(db: Session, ada: User) -> None:
    payment = bought(db, ada)
    spend(db, ada, GRANT + 4_000_000)
    stripe_events.take_in(dispute(payment, "disputed", "needs_response", 1_000))
    db.refresh(ada)
    assert (ada.credits_balance_micros, ada.is_frozen) == (0, True)
    assert ada.spending_frozen_reason == FreezeReason.DISPUTE

    stripe_events.take_in(dispute(payment, "dispute_closed", "won", 1_000))
    db.refresh(ada)
    assert (ada.credits_bought_micros, ada.is_frozen) == (6_000_000, False)
    costs = sa.select(sa.func.sum(Transaction.provider_cost_micros))
    assert db.scalar(costs.where(Transaction.kind == EntryKind.ABSORBED)) == 0
    assert ledger.drift(db, ada.id) == 0


def test_a_dispute_that_was_lost_stays_taken(db: Session, ada: User) -> None:
    payment = bought(db, ada)
    stripe_events.take_in(dispute(payment, "disputed", "needs_response", 1_000))

    stripe_events.take_in(dispute(payment, "dispute_closed", "lost", 1_000))

    db.refresh(ada)
    assert (ada.credits_balance_micros, ada.is_frozen) == (GRANT, False)


@pytest.mark.parametrize(("status", "left"), [("won", GRANT + TEN), ("lost", GRANT)])
def test_the_end_of_a_dispute_may_come_before_its_beginning(
    db: Session, ada: User, status: str, left: int
) -> None:
    payment = bought(db, ada)
    stripe_events.take_in(dispute(payment, "dispute_closed", status, 1_000))
    stripe_events.take_in(dispute(payment, "disputed", "needs_response", 1_000))

    db.refresh(ada)
    assert ada.credits_balance_micros == left


def test_an_inquiry_takes_nothing(db: Session, ada: User) -> None:
    payment = bought(db, ada)
    stripe_events.take_in(dispute(payment, "disputed", "warning_needs_response", 1_000))
    db.refresh(ada)
    assert (ada.credits_balance_micros, ada.is_frozen) == (GRANT + TEN, False)

    stripe_events.take_in(dispute(payment, "dispute_closed", "warning_closed", 1_000))
    db.refresh(ada)
    assert ada.credits_balance_micros == GRANT + TEN


def test_a_dispute_about_a_payment_that_nobody_knows_comes_again(db: Session, ada: User) -> None:
    payment = payments.begin(db, ada.id, TEN)
    db.commit()
    with pytest.raises(TooEarly):
        stripe_events.take_in(dispute(payment, "disputed", "needs_response", 1_000))
