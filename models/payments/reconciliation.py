"""Our books held against Stripe's: neither may have a payment or a refund that the other lacks."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import and_, exists, func, or_, select
from sqlalchemy.orm import Session

from models.ledger import Mismatch
from models.schema.audits import AuditRule
from models.schema.ledger import Transaction
from models.schema.payments import Payment, PaymentStatus, Refund

PAYMENTS, REFUNDS = AuditRule.STRIPE_PAYMENTS, AuditRule.STRIPE_REFUNDS
COMPARED = (PAYMENTS, REFUNDS)
# Sums of refunds from before each was known by its id.
ONLY_HERE = "before:%"


@dataclass(frozen=True)
class StripePayment:
    """A payment that succeeded at Stripe; `payment_id` is ours, if it was begun by us."""

    intent_id: str
    payment_id: UUID | None
    micros: int


@dataclass(frozen=True)
class StripeRefund:
    """A refund at Stripe; one that failed is of 0 micros."""

    refund_id: str
    intent_id: str
    micros: int


@dataclass(frozen=True)
class StripeBooks:
    """What Stripe has of a time, and the payments about which it has told something just now."""

    since: datetime
    until: datetime
    payments: Sequence[StripePayment]
    refunds: Sequence[StripeRefund]
    # Their events are on the way to us.
    unsettled: Collection[str]


def compare(db: Session, books: StripeBooks) -> dict[AuditRule, list[Mismatch]]:
    """Return, by rule, what one of both has and the other lacks; it changes nothing.

    What is off is in micros of what was paid, taxes included. Payments of nobody here are others'
    who use the same account.
    """
    return {PAYMENTS: list(_payments(db, books)), REFUNDS: list(_refunds(db, books))}


def _payments(db: Session, books: StripeBooks) -> Iterator[Mismatch]:
    there: dict[UUID, int] = {}
    for one in books.payments:
        if one.payment_id is not None:
            # One that was charged twice by mistake is off by the second.
            there[one.payment_id] = there.get(one.payment_id, 0) + one.micros
    moving = {one.payment_id for one in books.payments if one.intent_id in books.unsettled}
    lately = and_(
        Payment.status == PaymentStatus.PAID,
        Payment.created_at >= books.since,
        Payment.paid_at < books.until,
    )
    entry = exists().where(Transaction.reference == func.concat("payment:", Payment.id))
    wanted = select(Payment, entry).where(or_(Payment.id.in_(there), lately))
    for payment, is_booked in db.execute(wanted):
        here = (payment.charged_micros or 0) if is_booked else 0
        off_by = here - there.get(payment.id, 0)
        is_moving = payment.id in moving or payment.stripe_intent_id in books.unsettled
        if off_by and not is_moving:
            yield Mismatch(payment.user_id, PAYMENTS, f"payment:{payment.id}", off_by)


def _refunds(db: Session, books: StripeBooks) -> Iterator[Mismatch]:
    there = {one.refund_id: one for one in books.refunds}
    lately = and_(
        Refund.failed_at.is_(None),
        Refund.created_at >= books.since,
        Refund.created_at < books.until,
        Refund.id.not_like(ONLY_HERE),
    )
    known = select(Refund, Payment).join(Payment, Payment.id == Refund.payment_id)
    seen: set[str] = set()
    for refund, payment in db.execute(known.where(or_(Refund.id.in_(there), lately))):
        seen.add(refund.id)
        here = refund.back_micros if refund.failed_at is None else 0
        off_by = here - (there[refund.id].micros if refund.id in there else 0)
        if off_by and payment.stripe_intent_id not in books.unsettled:
            yield Mismatch(payment.user_id, REFUNDS, f"refund:{refund.id}", off_by)
    yield from _unknown(db, books, [one for one in books.refunds if one.refund_id not in seen])


def _unknown(
    db: Session, books: StripeBooks, refunds: Sequence[StripeRefund]
) -> Iterator[Mismatch]:
    """Refunds of our payments that nobody has told us of."""
    intents = {one.intent_id for one in refunds} - set(books.unsettled)
    owners = select(Payment.stripe_intent_id, Payment.user_id)
    found = db.execute(owners.where(Payment.stripe_intent_id.in_(intents)))
    owner = {str(intent): user_id for intent, user_id in found}
    for one in refunds:
        if one.micros and one.intent_id in owner:
            yield Mismatch(owner[one.intent_id], REFUNDS, f"refund:{one.refund_id}", -one.micros)
