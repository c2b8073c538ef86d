"""When a top-up by itself begins, and that it keeps to what its person allowed."""

from datetime import UTC, datetime

import pytest
import sqlalchemy as sa
import time_machine
from sqlalchemy.orm import Session

from models import ledger
from models.base import new_id, utc_now
from models.ledger.entries import record
from models.payments import auto_topup
from models.payments.auto_topup import Plan
from models.payments.checkout import account_of
from models.schema.ledger import EntryKind, FreezeReason, Transaction
from models.schema.payments import Payment, PaymentKind, PaymentStatus
from models.schema.users import User

TEN, TWO = 10_000_000, 2_000_000
PLAN = Plan(below_micros=TWO, amount_micros=TEN, monthly_micros=2 * TEN)


@pytest.fixture
def low(db: Session, ada: User) -> User:
    """Ada, who tops up by herself and has less than the threshold that she has set."""
    account = account_of(db, ada.id)
    account.stripe_customer_id, account.card_id = "cus_1", "pm_1"
    auto_topup.switch_on(db, ada.id, PLAN)
    spent = TWO - 1 - ada.credits_balance_micros
    entry = Transaction(
        kind=EntryKind.ADJUSTMENT, amount_micros=spent, reference=f"spent:{new_id()}"
    )
    assert record(db, ada, entry)
    return ada


def paid_at(db: Session, user: User, moment: datetime) -> None:
    """Note an automatic payment of then."""
    paid = Payment(
        user_id=user.id,
        kind=PaymentKind.AUTOMATIC,
        status=PaymentStatus.PAID,
        amount_micros=TEN,
        charged_micros=TEN,
        paid_at=moment,
        created_at=moment,
    )
    db.add(paid)
    db.flush()


def test_one_at_a_time_is_in_flight(db: Session, low: User) -> None:
    assert auto_topup.due(db) == [low.id]
    assert auto_topup.begin(db, low.id) is not None
    assert auto_topup.due(db) == []
    assert auto_topup.begin(db, low.id) is None


def test_a_month_has_so_much_and_no_more(db: Session, low: User) -> None:
    for _ in range(2):
        payment = auto_topup.begin(db, low.id)
        assert payment is not None
        payment.status = PaymentStatus.PAID
        payment.charged_micros, payment.paid_at = TEN, payment.created_at
        db.flush()

    assert auto_topup.begin(db, low.id) is None


def test_the_month_begins_where_the_person_lives(db: Session, low: User) -> None:
    assert low.timezone == "Europe/Berlin"
    # Two hours before and after midnight of the first of April in Berlin.
    paid_at(db, low, datetime(2026, 3, 31, 20, 0, tzinfo=UTC))
    paid_at(db, low, datetime(2026, 3, 31, 23, 0, tzinfo=UTC))

    with time_machine.travel(datetime(2026, 3, 31, 23, 30, tzinfo=UTC), tick=False):
        assert auto_topup.spent_this_month(db, low) == TEN
    with time_machine.travel(datetime(2026, 3, 31, 21, 30, tzinfo=UTC), tick=False):
        assert auto_topup.spent_this_month(db, low) == 2 * TEN


def test_a_frozen_account_is_not_topped_up(db: Session, low: User) -> None:
    ledger.freeze(low, FreezeReason.AUDIT)
    db.flush()

    assert auto_topup.due(db) == []
    assert auto_topup.begin(db, low.id) is None
    assert db.scalar(sa.select(sa.func.count(Payment.id))) == 0


@pytest.mark.parametrize("name", ["sending_suspended_at", "deletion_due_at"])
def test_nothing_is_charged_to_who_may_send_nothing(db: Session, low: User, name: str) -> None:
    assert auto_topup.due(db) == [low.id]
    setattr(low, name, utc_now())
    db.flush()
    assert auto_topup.due(db) == []
