"""What Stripe tells, taken in: each event once, whatever their order.

The caller locks the owner's account first, then asks `is_first_time`, then calls the verb. All of
it is one transaction: an event counts as taken in only together with its effect.
"""

from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from models import jobs, ledger
from models.base import utc_now
from models.payments.failures import failed
from models.schema.jobs import Job
from models.schema.payments import BillingAccount, EventTrouble, Payment, PaymentStatus, StripeEvent
from models.schema.users import User


class TooEarly(Exception):
    """An event about a payment that is not known to be paid yet: Stripe tells it again later."""


class AmountDiffers(Exception):
    """Stripe took another amount, or another currency, than we asked for."""

    def __init__(self, payment_id: UUID, bought_micros: int, currency: str) -> None:
        super().__init__(f"payment {payment_id}: {bought_micros} {currency}")
        self.details = {
            "payment_id": str(payment_id),
            "bought_micros": bought_micros,
            "currency": currency,
        }


def owner(
    db: Session, payment_id: UUID | None, intent_id: str | None, customer_id: str | None
) -> UUID | None:
    """Find whose payment, or card, an event is about; None when it is nobody's here."""
    if payment_id is not None:
        return db.scalar(select(Payment.user_id).where(Payment.id == payment_id))
    if intent_id is not None:
        return db.scalar(select(Payment.user_id).where(Payment.stripe_intent_id == intent_id))
    wanted = select(BillingAccount.user_id).where(BillingAccount.stripe_customer_id == customer_id)
    return db.scalar(wanted) if customer_id is not None else None


def find(db: Session, payment_id: UUID | None, intent_id: str | None) -> Payment:
    """Find the payment of an event, as it stands under its owner's lock."""
    wanted = Payment.id == payment_id if payment_id else Payment.stripe_intent_id == intent_id
    found = select(Payment).where(wanted).execution_options(populate_existing=True)
    return db.scalars(found).one()


def is_first_time(db: Session, event_id: str, kind: str, happened_at: datetime) -> bool:
    """Note an event as taken in; False if it was before. Of two at once, the second waits."""
    noted = db.scalar(
        insert(StripeEvent)
        .values(id=event_id, kind=kind, happened_at=happened_at)
        .on_conflict_do_nothing()
        .returning(StripeEvent.id)
    )
    return noted is not None


def set_aside(
    db: Session, event_id: str, user_id: UUID, trouble: EventTrouble, **details: object
) -> None:
    """Keep an event that can have no effect, however often it is told, for somebody to look at."""
    event = db.get_one(StripeEvent, event_id)
    event.user_id, event.trouble, event.trouble_details = user_id, trouble, details
    db.flush()


def known(db: Session, event_ids: list[str]) -> set[str]:
    """Return those of the events that were taken in."""
    return set(db.scalars(select(StripeEvent.id).where(StripeEvent.id.in_(event_ids))))


def paid(
    db: Session,
    user: User,
    payment: Payment,
    *,
    bought_micros: int,
    charged_micros: int,
    currency: str,
    intent_id: str | None,
) -> list[Job] | None:
    """Credit a payment to its locked owner, once; return the messages that go on with it.

    None if it was credited before. Raises AmountDiffers, having changed nothing.
    """
    if payment.status is PaymentStatus.PAID:
        return None
    if currency != "usd" or bought_micros != payment.amount_micros:
        raise AmountDiffers(payment.id, bought_micros, currency)
    payment.status, payment.failure = PaymentStatus.PAID, None
    payment.paid_at, payment.charged_micros = utc_now(), charged_micros
    payment.stripe_intent_id = intent_id
    account = db.get(BillingAccount, user.id)
    if account is not None:
        account.top_up_failures = 0
    ledger.top_up(db, user, payment.amount_micros, reference=f"payment:{payment.id}")
    return jobs.resume(db, user.id)


def mark_processing(db: Session, payment: Payment) -> None:
    """Note that the person is done, and their bank is not."""
    if payment.status is PaymentStatus.OPEN:
        payment.status = PaymentStatus.PROCESSING
    db.flush()


def mark_failed(db: Session, payment: Payment, code: str) -> bool:
    """Note that a payment came to nothing; one that is paid stays paid.

    Returns whether that has switched automatic top-up off.
    """
    return failed(db, payment, code)


def expired(db: Session, payment: Payment) -> None:
    """Note that a payment page was closed unused."""
    if payment.status is PaymentStatus.OPEN:
        payment.status = PaymentStatus.EXPIRED
    db.flush()


def record_receipt(db: Session, payment: Payment, url: str) -> None:
    """Keep where Stripe shows the receipt."""
    payment.receipt_url = url
    db.flush()


def share(payment: Payment, back_micros: int) -> int:
    """Say which credits belong to a part of what was paid, rounded down. Raises TooEarly."""
    if not payment.charged_micros:
        raise TooEarly(f"payment {payment.id}")
    back = min(back_micros, payment.charged_micros)
    return payment.amount_micros * back // payment.charged_micros
