"""Top-ups in a drill: people pay while things break; the audit compares Stripe with the books."""

from collections.abc import Collection
from contextlib import suppress
from datetime import timedelta
from uuid import UUID

import httpx2
import sqlalchemy as sa

from gateways.stripe_payments import PaymentsFailed, StripePayments
from models.base import utc_now
from models.schema.ledger import EntryKind, Transaction
from models.schema.payments import Payment
from settings import Settings
from tests.house import House, Person, wait_for

DOLLARS = "5"
CARD = "4242"
SETTLE_SECONDS = 60.0
LONGEST_DRILL = timedelta(hours=12)


def top_up(person: Person, csrf: str) -> None:
    """Buy credits. Where the connection breaks the window is closed, and nobody tries again."""
    form = {"csrf_token": csrf, "amount": DOLLARS}
    with suppress(httpx2.HTTPError):
        opened = person.browser.post(
            "/billing/top-ups", data=form, timeout=60, follow_redirects=False
        )
        if opened.status_code == 303:
            httpx2.post(opened.headers["location"], data={"card": CARD}, timeout=30)


def unsettled(house: House, settings: Settings, people: Collection[UUID]) -> list[str]:
    """List what was paid at Stripe and not credited exactly once, or credited and never paid.

    What the webhooks did not tell the clock asks for, so it is given a while.
    """
    with suppress(AssertionError):
        wait_for(lambda: not _differences(house, settings, people), "the money", SETTLE_SECONDS)
    return _differences(house, settings, people)


def _differences(house: House, settings: Settings, people: Collection[UUID]) -> list[str]:
    try:
        told = StripePayments(settings).told_since(utc_now() - LONGEST_DRILL)
    except PaymentsFailed as failure:
        return [f"Stripe cannot be asked: {failure}"]
    begun = sa.select(Payment.id).where(Payment.user_id.in_(list(people)))
    credited = sa.select(Transaction.reference).where(
        Transaction.kind == EntryKind.TOP_UP, Transaction.user_id.in_(list(people))
    )
    with house.database() as db:
        own, booked = set(db.scalars(begun)), set(db.scalars(credited))
    paid = {
        f"payment:{notice.payment_id}"
        for notice in told
        if notice.happening == "paid" and notice.payment_id in own
    }
    missing = [f"{one} was paid and not credited" for one in sorted(paid - booked)]
    return missing + [f"{one} was credited and not paid" for one in sorted(booked - paid)]
