"""Money of a payment that is given back takes its credits back, as far as there are any."""

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from models import ledger, payments
from models.ledger import EntryKind, Transaction
from models.payments import TooEarly, telling
from models.users import User
from tasks import stripe_notices
from tests.payments import GRANT, TEN, bought, kinds, notice, spend


def test_taxes_are_paid_and_not_credited(db: Session, ada: User) -> None:
    payment = payments.begin(db, ada.id, TEN)
    db.commit()
    stripe_notices.take_in(notice(payment, "paid", paid_cents=1_190))
    stripe_notices.take_in(notice(payment, "refunded", paid_cents=1_190, back_cents=595))

    db.refresh(ada)
    assert ada.credits_balance_micros == GRANT + TEN // 2


def test_refunds_take_bought_credits_and_add_up(db: Session, ada: User) -> None:
    payment = bought(db, ada)
    stripe_notices.take_in(notice(payment, "refunded", back_cents=700))
    # The earlier of the two comes later.
    stripe_notices.take_in(notice(payment, "refunded", back_cents=300))

    db.refresh(ada)
    assert (ada.credits_promotional_micros, ada.credits_bought_micros) == (GRANT, TEN * 3 // 10)
    assert kinds(db, ada)[-1] == (EntryKind.PAYMENT_REFUND, -TEN * 7 // 10, 0)
    assert not ada.is_frozen


def test_a_refund_beyond_what_is_left_is_absorbed_and_freezes(db: Session, ada: User) -> None:
    payment = bought(db, ada)
    spend(db, ada, GRANT + 9_000_000)
    stripe_notices.take_in(notice(payment, "refunded", back_cents=1_000))

    db.refresh(ada)
    db.refresh(payment)
    assert (ada.credits_balance_micros, payment.absorbed_micros) == (0, 9_000_000)
    absorbed = db.scalars(
        sa.select(Transaction).where(Transaction.kind == EntryKind.ABSORBED)
    ).one()
    assert absorbed.provider_cost_micros == 9_000_000
    assert ada.is_frozen
    with pytest.raises(ledger.SpendingFrozen, match="write to us"):
        payments.begin(db, ada.id, TEN)


def test_a_refund_before_its_payment_comes_again(db: Session, ada: User) -> None:
    payment = payments.begin(db, ada.id, TEN)
    db.commit()
    early = notice(payment, "refunded", back_cents=1_000)
    with pytest.raises(TooEarly):
        stripe_notices.take_in(early)
    assert not telling.known(db, [early.event_id])

    stripe_notices.take_in(notice(payment, "paid"))
    assert stripe_notices.take_in(early)
    db.refresh(ada)
    assert ada.credits_balance_micros == GRANT
