"""Topping up by itself: off unless the person wants it, and then within what they said.

A payment of this kind begins when a charge leaves less than the person's threshold. One at a time
is in flight, which the database guards too; its credits come with Stripe's event like all others.
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from models import ledger
from models.base import utc_now
from models.errors import Refused
from models.payments.checkout import account_of, checked, lock_payment
from models.payments.failures import failed
from models.periods import month_of
from models.schema.payments import (
    BillingAccount,
    Payment,
    PaymentFailure,
    PaymentKind,
    PaymentStatus,
)
from models.schema.users import User

COUNTED = (PaymentStatus.OPEN, PaymentStatus.PROCESSING, PaymentStatus.PAID)
# Stripe knows keys for a day (https://docs.stripe.com/api/idempotent_requests).
ASKED_FOR = timedelta(hours=20)
PENDING = (PaymentStatus.OPEN, PaymentStatus.PROCESSING)


class NoSavedCard(Refused):
    """Automatic top-up was switched on without a saved card."""

    code = "no_saved_card"


class NoThreshold(Refused):
    """Automatic top-up needs a threshold above zero."""

    code = "no_threshold"


class MonthTooSmall(Refused):
    """A month would not allow for one top-up."""

    code = "month_too_small"


@dataclass(frozen=True)
class Plan:
    """Below what to top up, by how much, and at most how much in a calendar month."""

    below_micros: int
    amount_micros: int
    monthly_micros: int

    def checked(self) -> "Plan":
        """Return it as it is; raise BadAmount, NoThreshold or MonthTooSmall."""
        checked(self.amount_micros)
        if self.below_micros <= 0:
            raise NoThreshold
        if self.monthly_micros < self.amount_micros:
            raise MonthTooSmall
        return self


def switch_on(db: Session, user_id: UUID, plan: Plan) -> None:
    """Top up by itself from now on; refuse a plan that makes no sense, or without a saved card."""
    ledger.lock_account(db, user_id)
    account, plan = account_of(db, user_id), plan.checked()
    if account.card_id is None or account.stripe_customer_id is None:
        raise NoSavedCard
    account.top_up_below_micros = plan.below_micros
    account.top_up_micros, account.top_up_monthly_micros = plan.amount_micros, plan.monthly_micros
    account.top_up_is_on, account.top_up_off_reason, account.top_up_failures = True, None, 0
    account.top_up_off_details = {}
    db.flush()


def switch_off(db: Session, user_id: UUID) -> None:
    """Top up no more by itself; what is in flight arrives yet."""
    ledger.lock_account(db, user_id)
    account = account_of(db, user_id)
    account.top_up_is_on, account.top_up_off_reason = False, None
    account.top_up_off_details = {}
    db.flush()


def due(db: Session, only: UUID | None = None, limit: int = 100) -> list[UUID]:
    """List the people whose credits are below their threshold and who have nothing in flight.

    Their monthly limit is looked at when a payment begins.
    """
    wanted = _below_threshold().limit(limit)
    return list(db.scalars(wanted.where(User.id == only) if only else wanted).all())


def begin(db: Session, user_id: UUID) -> Payment | None:
    """Begin a payment of a person for whom one is due, within their monthly limit; else None."""
    user = ledger.lock_account(db, user_id)
    account = db.get(BillingAccount, user_id, populate_existing=True)
    if account is None or not due(db, user_id):
        return None
    amount, most = account.top_up_micros or 0, account.top_up_monthly_micros or 0
    if spent_this_month(db, user) + amount > most:
        return None
    payment = Payment(user_id=user_id, kind=PaymentKind.AUTOMATIC, amount_micros=amount)
    db.add(payment)
    db.flush()
    return payment


def is_unwanted(db: Session, payment_id: UUID) -> bool:
    """Close a payment that nobody would begin any more; tell whether it is over.

    Its user has switched topping up off since, or may not spend; or it is so old that Stripe has
    forgotten whether it was asked. If Stripe has charged the card all the same, its event says so,
    and the credits come.
    """
    payment = lock_payment(db, payment_id)
    user = ledger.lock_account(db, payment.user_id)
    account = db.get(BillingAccount, user.id, populate_existing=True)
    is_off = account is None or not account.top_up_is_on
    is_barred = user.is_frozen or bool(user.deletion_due_at or user.sending_suspended_at)
    if payment.is_pending and (is_off or is_barred or utc_now() - payment.created_at > ASKED_FOR):
        # No failure of the card: it does not count.
        payment.status, payment.failure = PaymentStatus.FAILED, PaymentFailure.NOT_COMPLETED
        db.flush()
    return not payment.is_pending


def mark_accepted(db: Session, payment_id: UUID) -> None:
    """Note that Stripe took the charge; its event will say that it is paid."""
    payment = lock_payment(db, payment_id)
    if payment.status is PaymentStatus.OPEN:
        payment.status = PaymentStatus.PROCESSING
    db.flush()


def mark_refused(db: Session, payment_id: UUID, code: str) -> bool:
    """Note that the card was not charged; return whether that has switched topping up off."""
    return failed(db, lock_payment(db, payment_id), code)


def unanswered(db: Session, older_than: timedelta, limit: int = 20) -> list[UUID]:
    """List automatic payments of which nobody knows whether Stripe heard: ask again, it is safe."""
    wanted = select(Payment.id).where(
        Payment.kind == PaymentKind.AUTOMATIC,
        Payment.status == PaymentStatus.OPEN,
        Payment.created_at < utc_now() - older_than,
    )
    return list(db.scalars(wanted.order_by(Payment.id).limit(limit)))


def spent_this_month(db: Session, user: User) -> int:
    """Add up this calendar month's automatic payments, those in flight included."""
    total = select(func.coalesce(func.sum(Payment.amount_micros), 0)).where(
        Payment.user_id == user.id,
        Payment.kind == PaymentKind.AUTOMATIC,
        Payment.status.in_(COUNTED),
        Payment.created_at >= month_of(user.timezone, utc_now()).begins,
    )
    return int(db.scalar(total) or 0)


def _below_threshold() -> Select[Any]:
    in_flight = select(Payment.id).where(
        Payment.user_id == User.id,
        Payment.kind == PaymentKind.AUTOMATIC,
        Payment.status.in_(PENDING),
    )
    return (
        select(User.id)
        .join(BillingAccount, BillingAccount.user_id == User.id)
        .where(
            BillingAccount.top_up_is_on,
            User.spending_frozen_at.is_(None),
            # Whoever may send nothing needs no credits.
            User.sending_suspended_at.is_(None),
            User.deletion_due_at.is_(None),
            User.credits_balance_micros < BillingAccount.top_up_below_micros,
            ~in_flight.exists(),
        )
        .order_by(User.id)
    )
