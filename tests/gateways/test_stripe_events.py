"""Stripe's events of every kind, of the shape we know and of others."""

import time
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import asdict
from typing import Any
from uuid import UUID, uuid4

import pytest

from gateways import stripe_events
from gateways.stripe_events import MOST_CENTS, TYPES, BadEvent

MISSING = object()
ODD: tuple[Any, ...] = (
    *(MISSING, None, "", "x", "\0", "\ud800", "a" * 10_000, 0, -1, 1.5, True, 10**30, float("nan")),
    *([], {}, ["pi_1"], {"id": "pi_1"}, "\u202e", "1e999990"),
)
LEAVES: tuple[tuple[str, ...], ...] = (
    *(("id",), ("type",), ("created",), ("data",), ("data", "object")),
    *(("data", "object", "metadata", "payment_id"), ("data", "object", "card", "last4")),
    *(("data", "object", "card", "brand"), ("data", "object", "last_payment_error", "code")),
)


def known_event(kind: str, payment_id: UUID) -> dict[str, Any]:
    """An event with all that any kind has, of the shape that Stripe gives it."""
    about: dict[str, Any] = {
        "id": "re_1",
        "amount": 1_000,
        "amount_subtotal": 1_000,
        "amount_total": 1_000,
        "card": {"brand": "visa", "last4": "4242"},
        "currency": "usd",
        "customer": "cus_1",
        "last_payment_error": {"code": "card_declined", "decline_code": None},
        "metadata": {"payment_id": str(payment_id), "automatic": "yes"},
        "payment_intent": "pi_1",
        "payment_status": "paid",
        "receipt_url": "https://pay.example/receipts/1",
        "status": "succeeded",
        "type": "card",
    }
    return {"id": "evt_1", "type": kind, "created": int(time.time()), "data": {"object": about}}


def twisted(event: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The event with each of its values missing, or odd in each way."""
    for path in (*(("data", "object", name) for name in event["data"]["object"]), *LEAVES):
        for odd in ODD:
            copy = deepcopy(event)
            at = copy
            for name in path[:-1]:
                at = at[name]
            if odd is MISSING:
                at.pop(path[-1], None)
            else:
                at[path[-1]] = odd
            yield copy


@pytest.mark.parametrize("kind", TYPES)
def test_each_kind_is_read(kind: str) -> None:
    payment_id = uuid4()
    notice = stripe_events.read(known_event(kind, payment_id))
    assert notice
    assert (notice.event_id, notice.payment_id, notice.customer_id) == (
        "evt_1",
        payment_id,
        "cus_1",
    )


@pytest.mark.parametrize("kind", TYPES)
def test_whatever_is_read_is_of_a_shape_that_the_books_take(kind: str) -> None:
    refused = 0
    for event in twisted(known_event(kind, uuid4())):
        try:
            notice = stripe_events.read(event)
        except BadEvent:
            refused += 1
            continue
        for name, value in asdict(notice).items() if notice else ():
            if name.endswith("_cents"):
                assert type(value) is int
                assert 0 <= value <= MOST_CENTS
            elif isinstance(value, str):
                assert "\0" not in value
                assert len(value.encode()) < 3_000
    assert refused > 100


@pytest.mark.parametrize("event", [None, [], "x", 5, {}, {"type": []}, {"type": "a\nb"}])
def test_what_is_no_event_is_refused(event: object) -> None:
    with pytest.raises(BadEvent):
        stripe_events.read(event)


def test_other_kinds_do_not_matter() -> None:
    assert stripe_events.read({"type": "customer.created"}) is None
