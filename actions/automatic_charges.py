"""Tops credits up by itself, for people who want that, with the card that they saved."""

from collections.abc import Callable
from datetime import timedelta
from uuid import UUID

import dramatiq
import structlog
from sqlalchemy.orm import Session

from actions import billing_emails, wakeups
from actions.broker import get_broker
from gateways import values
from gateways.stripe_payments import AutomaticCharge, PaymentsFailed, StripePayments
from models import payments
from models.database import unit_of_work
from models.payments import auto_topup
from models.schema.payments import Payment
from models.schema.users import User
from settings import Settings, get_settings

log = structlog.get_logger()

# Whoever had begun to ask Stripe is gone by then: the SDK's own tries take no longer.
UNANSWERED_AFTER = timedelta(minutes=3)


@dramatiq.actor(broker=get_broker(), actor_name=wakeups.TOP_UP, queue_name=wakeups.ANSWERS_QUEUE)
def top_up(user_id: str) -> None:
    """Charge a person's saved card if a top-up is due; told twice, it is done once."""
    begin(values.uuid(user_id))


def begin(user_id: UUID) -> None:
    """Begin a top-up that is due, and ask Stripe for it. Its credits come with the webhook."""
    if not get_settings().sells_credits:
        return
    with unit_of_work() as db:
        payment = auto_topup.begin(db, user_id)
    if payment is not None:
        charge(payment.id)


def look_after() -> None:
    """Begin what is due and was not begun; ask again where nobody knows what Stripe said."""
    with unit_of_work() as db:
        unanswered = auto_topup.unanswered(db, UNANSWERED_AFTER)
        due = auto_topup.due(db)
    for payment_id in unanswered:
        _one_of_many(lambda payment_id=payment_id: charge(payment_id), payment_id=payment_id)
    for user_id in due:
        _one_of_many(lambda user_id=user_id: begin(user_id), user_id=user_id)


def _one_of_many(do: Callable[[], None], **whose: UUID) -> None:
    """Do it; what fails of one user's is logged, and the others do not wait for it."""
    try:
        do()
    except Exception:
        log.exception("top_up.broke", **{name: str(one) for name, one in whose.items()})


def charge(payment_id: UUID) -> None:
    """Ask Stripe to charge the card for a payment, which it does once however often it is asked."""
    settings = get_settings()
    with unit_of_work() as db:
        if auto_topup.is_unwanted(db, payment_id):
            return
        order = _order(db, settings, db.get_one(Payment, payment_id))
    if order is None:
        _note_refusal(payment_id, "")
        return
    try:
        outcome = StripePayments(settings).charge(order)
    except PaymentsFailed as failure:
        log.warning("top_up.failed", payment_id=str(payment_id), reason=str(failure))
        if failure.permanent:
            _note_refusal(payment_id, "")
        return
    if outcome.status == "accepted":
        with unit_of_work() as db:
            auto_topup.mark_accepted(db, payment_id)
    else:
        _note_refusal(payment_id, outcome.code)
    log.info("top_up.asked", payment_id=str(payment_id), status=outcome.status, code=outcome.code)


def _note_refusal(payment_id: UUID, code: str) -> None:
    with unit_of_work() as db:
        if auto_topup.mark_refused(db, payment_id, code):
            billing_emails.tell_top_up_off(db, db.get_one(Payment, payment_id))


def _order(db: Session, settings: Settings, payment: Payment) -> AutomaticCharge | None:
    person = db.get_one(User, payment.user_id)
    account = payments.find_account(db, person.id)
    if account is None or account.stripe_customer_id is None or account.card_id is None:
        return None
    return AutomaticCharge(
        payment_id=payment.id,
        customer_id=account.stripe_customer_id,
        card_id=account.card_id,
        email=person.email,
        cents=payment.amount_micros // payments.CENT_MICROS,
        title=f"{settings.product_name} credits, automatic top-up",
    )
