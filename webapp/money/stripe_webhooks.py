"""Where Stripe tells what happened to payments. Only what it signed is heard."""

import structlog
from flask import Blueprint, request

from actions import stripe_events
from gateways.stripe_events import BadEvent
from gateways.stripe_payments import BadSignature, StripePayments
from models.payments import TooEarly
from settings import get_settings
from webapp.core.security import csrf

pages = Blueprint("stripe_webhooks", __name__)
log = structlog.get_logger()

# What Stripe takes for "later": it tells it again.
LATER = 409


@pages.post("/webhooks/stripe")
@csrf.exempt  # pyright: ignore[reportUnknownMemberType, reportUntypedFunctionDecorator]
def hear() -> tuple[str, int]:
    """Take an event in; say 2xx only once its effect is committed."""
    if not get_settings().sells_credits:
        return "", 404
    payload = request.get_data()
    try:
        notice = StripePayments(get_settings()).verified(
            payload, request.headers.get("Stripe-Signature", "")
        )
    except BadSignature as refused:
        log.warning("stripe.refused", reason=str(refused).partition("\n")[0])
        return "", 400
    except BadEvent as odd:
        # Nothing is lost: Stripe tells it again, and shows whoever runs this that we refused it.
        log.error("stripe.bad_event", kind=str(odd))
        return "", 422
    try:
        if notice is not None:
            stripe_events.take_in(notice)
    except TooEarly as early:
        log.info("stripe.too_early", event_id=notice.event_id if notice else "", about=str(early))
        return "", LATER
    return "", 200
