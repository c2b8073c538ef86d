"""An erased account's customer is deleted at Stripe, once its rows are, whatever dies meanwhile."""

from datetime import timedelta

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from actions import customer_deletions, stripe_backfill
from gateways.stripe_payments import PaymentsFailed, StripePayments
from models import ledger, payments
from models.base import utc_now
from models.people import account_deletion
from models.schema.customer_deletions import CustomerDeletion
from models.schema.ledger import Transaction
from models.schema.payments import BillingAccount, Payment
from models.schema.users import User
from settings import get_settings
from tests.embedded.fake_stripe.served import ServedStripe
from tests.payments import bought


@pytest.fixture
def customer(db: Session, ada: User, stripe: ServedStripe) -> str:
    """Ada as Stripe knows her; she has bought something."""
    assert stripe
    bought(db, ada)
    customer_id = StripePayments(get_settings()).add_customer(ada.id, ada.email, ada.name)
    payments.record_customer(db, ada.id, customer_id)
    db.commit()
    return customer_id


def _close(db: Session, user: User) -> None:
    user.deletion_due_at = utc_now()
    db.flush()
    account_deletion.close(db, user.id)
    db.commit()


def _erase(db: Session, user: User) -> None:
    _close(db, user)
    account_deletion.erase(db, user.id)
    db.commit()


def _at_stripe(stripe: ServedStripe, customer_id: str) -> bool:
    return not stripe.api("GET", f"customers/{customer_id}").json().get("deleted", False)


def _wanted(db: Session) -> list[CustomerDeletion]:
    db.expire_all()
    return list(db.scalars(sa.select(CustomerDeletion)))


def _let_time_pass(db: Session) -> None:
    db.execute(sa.update(CustomerDeletion).values(due_at=utc_now() - timedelta(seconds=1)))
    db.commit()


def test_the_customer_goes_and_the_books_stay(
    db: Session, ada: User, customer: str, stripe: ServedStripe
) -> None:
    before = db.scalars(sa.select(sa.func.count()).select_from(Transaction)).one()
    _erase(db, ada)
    assert _at_stripe(stripe, customer)
    assert [one.customer_id for one in _wanted(db)] == [customer]
    stripe_backfill.reconcile()
    assert not _at_stripe(stripe, customer)
    assert _wanted(db) == []
    assert db.scalars(sa.select(BillingAccount)).all() == []
    assert db.scalars(sa.select(Payment.user_id)).all() == [ada.id]
    assert db.scalars(sa.select(sa.func.count()).select_from(Transaction)).one() == before
    assert not any(ledger.audit(db, ada.id).values())


def test_what_is_rolled_back_deletes_nobody(
    db: Session, ada: User, customer: str, stripe: ServedStripe
) -> None:
    _close(db, ada)
    account_deletion.erase(db, ada.id)
    db.rollback()
    customer_deletions.look_after()
    assert _at_stripe(stripe, customer)


def test_who_has_never_paid_is_nobody_there(db: Session, ada: User) -> None:
    _erase(db, ada)
    assert _wanted(db) == []


def test_while_stripe_is_away_it_is_asked_again_later_each_time(
    db: Session, ada: User, customer: str, stripe: ServedStripe, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: object) -> None:
        raise PaymentsFailed("away", permanent=False)

    _erase(db, ada)
    waits: list[timedelta] = []
    with monkeypatch.context() as patched:
        patched.setattr(StripePayments, "delete_customer", away)
        for _ in range(3):
            customer_deletions.look_after()
            (left,) = _wanted(db)
            waits.append(left.due_at - utc_now())
            customer_deletions.look_after()
            assert _wanted(db)[0].attempts == len(waits)
            _let_time_pass(db)
    assert waits[0] < waits[1] < waits[2]
    customer_deletions.look_after()
    assert not _at_stripe(stripe, customer)
    assert _wanted(db) == []


def test_whoever_dies_after_stripe_did_it_is_taken_over(
    db: Session, ada: User, customer: str, stripe: ServedStripe, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = StripePayments.delete_customer

    def dying(till: StripePayments, customer_id: str) -> None:
        whole(till, customer_id)
        raise _Killed

    _erase(db, ada)
    with monkeypatch.context() as patched:
        patched.setattr(StripePayments, "delete_customer", dying)
        with pytest.raises(_Killed):
            customer_deletions.look_after()
    assert not _at_stripe(stripe, customer)
    assert [one.customer_id for one in _wanted(db)] == [customer]
    # There is no such customer any more, and that is what was wanted.
    _let_time_pass(db)
    customer_deletions.look_after()
    assert _wanted(db) == []


class _Killed(BaseException):
    """What a process that is killed never catches."""
