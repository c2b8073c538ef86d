"""What Stripe tells, as far as it matters here: each event in a few plain words of ours.

A signature says who told it, not that it has the shape we know: every value passes the gate.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, cast
from uuid import UUID

from gateways import values
from gateways.values import BadValue

Happening = Literal[
    "paid", "processing", "failed", "expired", "receipt", "refunded", "refund_failed", "disputed",
    "dispute_closed", "card_saved", "card_removed",
]  # fmt: skip
CHECKOUT_EVENTS: dict[str, Happening] = {
    "checkout.session.async_payment_succeeded": "paid",
    "checkout.session.async_payment_failed": "failed",
    "checkout.session.expired": "expired",
}
EVENTS: dict[str, Happening] = {
    "charge.succeeded": "receipt",
    "charge.dispute.created": "disputed",
    "charge.dispute.funds_withdrawn": "disputed",
    "charge.dispute.closed": "dispute_closed",
    "payment_method.attached": "card_saved",
    "payment_method.detached": "card_removed",
}
# Those of payments without a page of Stripe's; for the others, the page's own events count.
INTENT_EVENTS: dict[str, Happening] = {
    "payment_intent.succeeded": "paid",
    "payment_intent.payment_failed": "failed",
}
# Each tells of one refund, whose status says what became of it. `charge.refunded` only has the sum.
REFUND_EVENTS = ("refund.created", "refund.updated", "refund.failed", "charge.refund.updated")
# The money of these never left us, or has come back.
DEAD_REFUNDS = ("failed", "canceled")
CARD_HAPPENINGS = ("card_saved", "card_removed")
TYPES = ("checkout.session.completed", *CHECKOUT_EVENTS, *INTENT_EVENTS, *EVENTS, *REFUND_EVENTS)
# A hundred million dollars; Stripe itself takes less than one.
MOST_CENTS = 10_000_000_000
BRAND_LETTERS = 40
FINGERPRINT_LETTERS = 64
Body = Mapping[str, Any]


class BadEvent(Exception):
    """An event that is not of the shape which we know: nothing is done about it.

    It says of which kind the event was, as far as that could be read.
    """


@dataclass(frozen=True)
class SavedCard:
    """A card that can be charged while its owner is away."""

    id: str
    brand: str
    last4: str
    # The same for whoever uses a card of this number; empty where Stripe says none.
    fingerprint: str = ""


@dataclass(frozen=True)
class Notice:
    """One event. `payment_id` is ours, from the metadata that we gave; amounts are in cents."""

    event_id: str
    kind: str
    happening: Happening
    at: datetime
    payment_id: UUID | None = None
    intent_id: str | None = None
    customer_id: str | None = None
    currency: str = ""
    # What was bought, and what was paid for it, taxes included.
    bought_cents: int = 0
    paid_cents: int = 0
    # What a refund or a dispute gives back.
    back_cents: int = 0
    refund_id: str = ""
    dispute_id: str = ""
    dispute_status: str = ""
    receipt_url: str = ""
    failure_code: str = ""
    card: SavedCard | None = None


def read(event: object) -> Notice | None:
    """Read an event; None for one that does not matter here. Raises BadEvent."""
    kind = "an event"
    try:
        told = values.mapping(event)
        kind = values.code(told.get("type"))
        return _notice(kind, told) if kind in TYPES else None
    except BadValue as odd:
        raise BadEvent(kind) from odd


def own_id(about: Body) -> UUID | None:
    """Read our id of the payment that an object of Stripe's belongs to, if it is one of ours."""
    return values.uuid_or_none(_within(about, "metadata").get("payment_id"))


def _notice(kind: str, told: Body) -> Notice | None:
    about = values.mapping(values.mapping(told.get("data")).get("object"))
    happening = _happening(kind, about)
    if happening is None:
        return None
    return Notice(
        event_id=values.stripe_id(told.get("id")),
        kind=kind,
        happening=happening,
        at=values.moment(told.get("created")),
        payment_id=own_id(about),
        customer_id=_id_or_none(about, "customer"),
        currency=_code_or_empty(about, "currency"),
        **_details(kind, about),
    )


def _happening(kind: str, about: Body) -> Happening | None:
    if kind == "checkout.session.completed":
        return "paid" if values.code(about.get("payment_status")) == "paid" else "processing"
    if kind in REFUND_EVENTS:
        is_dead = values.code(about.get("status")) in DEAD_REFUNDS
        return "refund_failed" if is_dead else "refunded"
    if kind in INTENT_EVENTS:
        is_ours = _within(about, "metadata").get("automatic") == "yes"
        return INTENT_EVENTS[kind] if is_ours else None
    return CHECKOUT_EVENTS.get(kind) or EVENTS.get(kind)


def _details(kind: str, about: Body) -> dict[str, Any]:
    """Read what an object says, by what its event is about."""
    if kind.startswith("checkout.session."):
        return {
            "intent_id": _id_or_none(about, "payment_intent"),
            "bought_cents": _cents(about, "amount_subtotal"),
            "paid_cents": _cents(about, "amount_total"),
        }
    if kind in INTENT_EVENTS:
        amount = _cents(about, "amount")
        details = {"intent_id": _id(about), "bought_cents": amount, "paid_cents": amount}
        return {**details, "failure_code": _failure(about)}
    if kind in REFUND_EVENTS or kind.startswith("charge."):
        return {"intent_id": _id_or_none(about, "payment_intent"), **_moved(kind, about)}
    return {"card": _card(about)}


def _moved(kind: str, about: Body) -> dict[str, Any]:
    amount = _cents(about, "amount")
    if kind in REFUND_EVENTS:
        return {"refund_id": _id(about), "back_cents": amount}
    if kind.startswith("charge.dispute."):
        status = values.code(about.get("status"))
        return {"dispute_id": _id(about), "dispute_status": status, "back_cents": amount}
    given = about.get("receipt_url")
    return {"paid_cents": amount, "receipt_url": values.web_address(given) if given else ""}


def _failure(intent: Body) -> str:
    # A bank that wants to see its customer says so in either of the two.
    error = _within(intent, "last_payment_error")
    code, declined = (_code_or_empty(error, name) for name in ("code", "decline_code"))
    asked = "authentication_required"
    return asked if asked in (code, declined) else code


def _card(about: Body) -> SavedCard:
    card = _within(about, "card")
    brand = values.line(card.get("brand") or about.get("type") or "", most=BRAND_LETTERS)
    last4 = card.get("last4")
    mark = values.line(card.get("fingerprint") or "", most=FINGERPRINT_LETTERS)
    return SavedCard(_id(about), brand, values.digits(last4, count=4) if last4 else "", mark)


def _id(about: Body) -> str:
    return values.stripe_id(about.get("id"))


def _id_or_none(about: Body, name: str) -> str | None:
    given = about.get(name)
    return None if given is None else values.stripe_id(given)


def _cents(about: Body, name: str) -> int:
    given = about.get(name)
    if isinstance(given, str):
        raise BadValue
    return values.integer(given, most=MOST_CENTS)


def _code_or_empty(about: Body, name: str) -> str:
    given = about.get(name)
    return values.code(given) if given else ""


def _within(about: Body, name: str) -> Body:
    given = about.get(name)
    return cast(Body, {}) if given is None else values.mapping(given)
