"""How a payment begins."""

from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from models import ledger
from models.errors import NotFound, Refused
from models.jobs.closures import AccountClosing
from models.payments import customer_deletions
from models.schema.payments import (
    BillingAccount,
    Payment,
    PaymentFailure,
    PaymentKind,
    PaymentStatus,
)
from settings import get_settings

CENT_MICROS = 10_000


class BadAmount(Refused):
    """An amount is none that can be bought."""

    code = "bad_amount"


class AmountOutOfRange(BadAmount):
    """An amount is too small or too large; the details say what the bounds are."""

    code = "amount_out_of_range"


def begin(db: Session, user_id: UUID, amount_micros: int) -> Payment:
    """Note that a person is about to buy credits; nothing is theirs until Stripe says it is paid.

    Refuses amounts that are no whole cents or out of bounds, and accounts that are frozen or to
    be deleted.
    """
    user = ledger.lock_account(db, user_id)
    if user.is_frozen:
        raise ledger.SpendingFrozen(user.spending_frozen_reason, user.spending_frozen_details)
    if user.deletion_due_at is not None:
        raise AccountClosing
    payment = Payment(
        user_id=user_id, kind=PaymentKind.CHECKOUT, amount_micros=checked(amount_micros)
    )
    db.add(payment)
    db.flush()
    return payment


def checked(amount_micros: int) -> int:
    """Return an amount that may be bought, or raise BadAmount."""
    settings = get_settings()
    lowest, highest = settings.top_up_min_micros, settings.top_up_max_micros
    if amount_micros % CENT_MICROS:
        raise BadAmount
    if not lowest <= amount_micros <= highest:
        raise AmountOutOfRange(lowest_micros=lowest, highest_micros=highest)
    return amount_micros


def record_checkout(db: Session, payment_id: UUID, checkout_id: str) -> None:
    """Note which page of Stripe's belongs to a payment."""
    lock_payment(db, payment_id).stripe_checkout_id = checkout_id
    db.flush()


def fail_checkout(db: Session, payment_id: UUID) -> None:
    """Note that no page could be made for a payment."""
    payment = lock_payment(db, payment_id)
    if payment.status is PaymentStatus.OPEN:
        payment.status, payment.failure = PaymentStatus.FAILED, PaymentFailure.PAGE_NOT_OPENED
    db.flush()


def account_of(db: Session, user_id: UUID) -> BillingAccount:
    """Return how a person pays, making the row at first; the caller has locked their account."""
    db.execute(insert(BillingAccount).values(user_id=user_id).on_conflict_do_nothing())
    return db.get_one(BillingAccount, user_id, populate_existing=True)


def find_account(db: Session, user_id: UUID) -> BillingAccount | None:
    """Return how a person pays, if they ever did."""
    return db.get(BillingAccount, user_id, populate_existing=True)


def record_customer(db: Session, user_id: UUID, customer_id: str) -> None:
    """Keep the id under which Stripe knows a person; the first one stays.

    Of an account that was erased meanwhile the customer is to be deleted at Stripe.
    """
    if ledger.lock_account(db, user_id).deleted_at is not None:
        customer_deletions.strike_out(db, customer_id)
        return
    account = account_of(db, user_id)
    account.stripe_customer_id = account.stripe_customer_id or customer_id
    db.flush()


def find_own(db: Session, user_id: UUID, payment_id: UUID) -> Payment:
    """Find one of this person's payments, or raise NotFound."""
    wanted = select(Payment).where(Payment.id == payment_id, Payment.user_id == user_id)
    payment = db.scalar(wanted.execution_options(populate_existing=True))
    if payment is None:
        raise NotFound
    return payment


def list_own(db: Session, user_id: UUID, limit: int = 20) -> list[Payment]:
    """List a person's payments, the latest first."""
    mine = select(Payment).where(Payment.user_id == user_id)
    return list(db.scalars(mine.order_by(Payment.id.desc()).limit(limit)))


def lock_payment(db: Session, payment_id: UUID) -> Payment:
    """Lock the account whose payment it is, and return the payment as it stands."""
    owner = db.scalars(select(Payment.user_id).where(Payment.id == payment_id)).one()
    ledger.lock_account(db, owner)
    return db.get_one(Payment, payment_id, populate_existing=True)
