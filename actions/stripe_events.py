"""Takes in what Stripe tells, by whichever way it came: its webhook, or our asking for it."""

from collections.abc import Mapping
from datetime import timedelta
from uuid import UUID

import structlog
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from actions import billing_emails, wakeups
from gateways.stripe_events import CARD_HAPPENINGS, Notice
from models import ledger, payments
from models.base import utc_now
from models.database import unit_of_work
from models.payments import cards, disputes, refunds, stripe_effects
from models.payments.checkout import CENT_MICROS
from models.schema.jobs import Job
from models.schema.payments import EventTrouble, Payment
from models.schema.users import User

log = structlog.get_logger()

# These name their payment only by Stripe's id, which we learn when that is paid. A day later it is
# somebody else's payment in the same account; asking Stripe finds it still if it is ours after all.
NAMED_BY_STRIPE = ("refunded", "refund_failed", "disputed", "dispute_closed")
NOT_OURS_AFTER = timedelta(days=1)


def take_in(notice: Notice) -> bool:
    """Have an event's effect, once; return whether that was now. It is committed on return.

    One about another amount than we asked for, or that contradicts what is in the books, is set
    aside, with an error in the log: it would be no better when told again. Raises TooEarly for one
    that must be told again later.
    """
    trouble: EventTrouble | None = None
    details: Mapping[str, object] = {}
    with unit_of_work() as db:
        # Of a payment, the customer alone does not say which.
        customer_id = notice.customer_id if notice.happening in CARD_HAPPENINGS else None
        owner = stripe_effects.owner(db, notice.payment_id, notice.intent_id, customer_id)
        if owner is None:
            return _ignore(notice)
        user = ledger.lock_account(db, owner)
        if not stripe_effects.is_first_time(db, notice.event_id, notice.kind, notice.at):
            return False
        try:
            with db.begin_nested():
                resumed = _act(db, user, notice)
        except (payments.AmountDiffers, IntegrityError) as trouble_with:
            resumed = []
            trouble, details = _named(trouble_with)
            stripe_effects.set_aside(db, notice.event_id, owner, trouble, **details)
    if trouble:
        log.error(
            "stripe.set_aside",
            event_id=notice.event_id,
            user_id=str(owner),
            reason=trouble,
            **details,
        )
        return True
    for job in resumed:
        wakeups.resumed(job)
    log.info("stripe.taken_in", kind=notice.kind, event_id=notice.event_id, user_id=str(owner))
    return True


def _named(
    trouble: payments.AmountDiffers | IntegrityError,
) -> tuple[EventTrouble, Mapping[str, object]]:
    if isinstance(trouble, payments.AmountDiffers):
        return EventTrouble.AMOUNT_DIFFERS, trouble.details
    # Which rule of the tables, without the values.
    broken = getattr(getattr(trouble.orig, "diag", None), "constraint_name", None)
    return EventTrouble.CONTRADICTS_BOOKS, {"constraint": str(broken)}


def _ignore(notice: Notice) -> bool:
    if notice.happening in NAMED_BY_STRIPE and utc_now() - notice.at < NOT_OURS_AFTER:
        raise payments.TooEarly(notice.event_id)
    log.info("stripe.not_ours", kind=notice.kind, event_id=notice.event_id)
    return False


def _act(db: Session, user: User, notice: Notice) -> list[Job]:
    """Do it; return the messages that go on because of it."""
    if notice.happening in CARD_HAPPENINGS:
        _note_card(db, user.id, notice)
        return []
    payment = stripe_effects.find(db, notice.payment_id, notice.intent_id)
    back_micros = notice.back_cents * CENT_MICROS
    refund = (notice.refund_id, back_micros)
    dispute = (notice.dispute_id, back_micros, notice.dispute_status)
    match notice.happening:
        case "paid":
            return _credit(db, user, payment, notice)
        case "dispute_closed":
            return disputes.closed(db, user, payment, *dispute)
        case "refund_failed":
            return refunds.failed(db, user, payment, *refund)
        case "disputed":
            _tell_if_off(db, payment, is_off=disputes.opened(db, user, payment, *dispute))
        case "refunded":
            _tell_if_off(db, payment, is_off=refunds.made(db, user, payment, *refund))
        case _:
            _note(db, payment, notice)
    return []


def _tell_if_off(db: Session, payment: Payment, *, is_off: bool) -> None:
    if is_off:
        billing_emails.tell_top_up_off(db, payment)


def _note(db: Session, payment: Payment, notice: Notice) -> None:
    """What moves no money."""
    match notice.happening:
        case "processing":
            stripe_effects.mark_processing(db, payment)
        case "failed":
            is_off = stripe_effects.mark_failed(db, payment, notice.failure_code)
            _tell_if_off(db, payment, is_off=is_off)
        case "expired":
            stripe_effects.expired(db, payment)
        case _:
            stripe_effects.record_receipt(db, payment, notice.receipt_url)


def _credit(db: Session, user: User, payment: Payment, notice: Notice) -> list[Job]:
    resumed = stripe_effects.paid(
        db,
        user,
        payment,
        bought_micros=notice.bought_cents * CENT_MICROS,
        charged_micros=notice.paid_cents * CENT_MICROS,
        currency=notice.currency,
        intent_id=notice.intent_id,
    )
    if resumed is None:
        return []
    billing_emails.tell_paid(db, user, payment)
    return resumed


def _note_card(db: Session, user_id: UUID, notice: Notice) -> None:
    card = notice.card
    if card is None:
        return
    if notice.happening == "card_saved":
        cards.saved(db, user_id, card.id, card.brand, card.last4, card.fingerprint)
    else:
        cards.removed(db, user_id, card.id)
