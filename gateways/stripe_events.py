"""What Stripe tells, as far as it matters here: each event in a few plain words of ours."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal, cast
from uuid import UUID

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
TYPES = ("checkout.session.completed", *CHECKOUT_EVENTS, *INTENT_EVENTS, *EVENTS, *REFUND_EVENTS)
Body = Mapping[str, Any]


@dataclass(frozen=True)
class SavedCard:
    """A card that can be charged while its owner is away."""

    id: str
    brand: str
    last4: str


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


def read(event: Body) -> Notice | None:
    """Read an event; None for one that does not matter here."""
    kind, about = str(event["type"]), cast(Body, event["data"]["object"])
    happening = _happening(kind, about)
    if happening is None:
        return None
    return Notice(
        event_id=str(event["id"]),
        kind=kind,
        happening=happening,
        at=datetime.fromtimestamp(int(event["created"]), UTC),
        payment_id=own_id(about),
        customer_id=about.get("customer"),
        currency=str(about.get("currency") or ""),
        **_details(about),
    )


def _happening(kind: str, about: Body) -> Happening | None:
    if kind == "checkout.session.completed":
        return "paid" if about["payment_status"] == "paid" else "processing"
    if kind in REFUND_EVENTS:
        return "refund_failed" if about["status"] in DEAD_REFUNDS else "refunded"
    if kind in INTENT_EVENTS:
        return INTENT_EVENTS[kind] if _metadata(about).get("automatic") == "yes" else None
    return CHECKOUT_EVENTS.get(kind) or EVENTS.get(kind)


def _details(about: Body) -> dict[str, Any]:
    match about["object"]:
        case "checkout.session":
            return {
                "intent_id": about["payment_intent"],
                "bought_cents": about["amount_subtotal"],
                "paid_cents": about["amount_total"],
            }
        case "payment_intent":
            error = cast(Body, about.get("last_payment_error") or {})
            amount = about["amount"]
            details = {"intent_id": about["id"], "bought_cents": amount, "paid_cents": amount}
            return {**details, "failure_code": _code(error)}
        case "charge":
            return {
                "intent_id": about["payment_intent"],
                "paid_cents": about["amount"],
                "receipt_url": about.get("receipt_url") or "",
            }
        case "refund":
            return {
                "intent_id": about["payment_intent"],
                "refund_id": about["id"],
                "back_cents": about["amount"],
            }
        case "dispute":
            return {
                "intent_id": about["payment_intent"],
                "dispute_id": about["id"],
                "dispute_status": about["status"],
                "back_cents": about["amount"],
            }
        case _:
            return {"card": _card(about)}


def _code(error: Body) -> str:
    # A bank that wants to see its customer says so in either of the two.
    codes = {str(error.get("code") or ""), str(error.get("decline_code") or "")}
    asked = "authentication_required"
    return asked if asked in codes else str(error.get("code") or "")


def _card(about: Body) -> SavedCard:
    card = cast(Body, about.get("card") or {})
    brand = str(card.get("brand") or about.get("type") or "")
    return SavedCard(str(about["id"]), brand, str(card.get("last4") or ""))


def own_id(about: Body) -> UUID | None:
    """Read our id of the payment that an object of Stripe's belongs to, if it is one of ours."""
    try:
        return UUID(str(_metadata(about).get("payment_id")))
    except ValueError:
        return None


def _metadata(about: Body) -> Body:
    return cast(Body, about.get("metadata") or {})
