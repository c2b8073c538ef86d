"""What the clock does about money every few minutes: nothing may depend on a webhook that came."""

from datetime import datetime, timedelta

import structlog

from actions import admin_refunds, automatic_charges, customer_deletions, stripe_events
from gateways.stripe_payments import PaymentsFailed, StripePayments
from models import ledger
from models.base import utc_now
from models.database import unit_of_work
from models.payments import TooEarly, stripe_effects
from settings import get_settings

log = structlog.get_logger()


def reconcile() -> None:
    """Take in what Stripe's webhooks did not tell, top up what is due, let old grants lapse."""
    settings = get_settings()
    if settings.sells_credits:
        try:
            missed = ask_stripe()
        except PaymentsFailed as failure:
            log.warning("stripe.not_asked", reason=str(failure))
        else:
            if missed:
                log.warning("stripe.missed", count=missed)
        automatic_charges.look_after()
        admin_refunds.look_after()
        customer_deletions.look_after()
    if settings.grant_expires_days:
        expire_grants(utc_now() - timedelta(days=settings.grant_expires_days))


def expire_grants(granted_before: datetime) -> None:
    """Let older grants lapse, each person's in a transaction of its own: none waits for others."""
    with unit_of_work() as db:
        people = ledger.has_older_grants(db, granted_before)
    for user_id in people:
        with unit_of_work() as db:
            ledger.expire_grants(db, user_id, granted_before)


def ask_stripe() -> int:
    """Take in the events of the last days that are not known, oldest first; return how many."""
    settings = get_settings()
    since = utc_now() - timedelta(hours=settings.reconcile_hours)
    told = StripePayments(settings).told_since(since)
    with unit_of_work() as db:
        known = stripe_effects.known(db, [notice.event_id for notice in told])
    missed = 0
    for notice in told:
        if notice.event_id in known:
            continue
        try:
            missed += stripe_events.take_in(notice)
        except TooEarly as early:
            # The others must not wait for it; it is looked at again each time.
            log.error("stripe.left", event_id=notice.event_id, reason=repr(early))
        except Exception:
            # Nor for one that we have no answer to: somebody has to look at it.
            log.exception("stripe.not_taken_in", event_id=notice.event_id)
    return missed
