"""The page at Stripe on which a person pays: what is on it, and what it says of the payment."""

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING
from uuid import UUID

if TYPE_CHECKING:
    from stripe.params.checkout import (
        SessionCreateParams,
        SessionCreateParamsLineItem,
        SessionCreateParamsPaymentIntentData,
    )


@dataclass(frozen=True)
class CheckoutOrder:
    """What a person is to pay on Stripe's page, and where they go afterwards."""

    payment_id: UUID
    customer_id: str
    email: str
    cents: int
    title: str
    saves_card: bool
    success_url: str
    cancel_url: str
    expires_at: datetime


@dataclass(frozen=True)
class Checkout:
    id: str
    url: str


def page(order: CheckoutOrder, *, has_tax: bool) -> "SessionCreateParams":
    """Write what Stripe is asked for, so that a person can pay this there."""
    asked: SessionCreateParams = {
        "mode": "payment",
        "customer": order.customer_id,
        "client_reference_id": str(order.payment_id),
        "metadata": {"payment_id": str(order.payment_id)},
        "success_url": order.success_url,
        "cancel_url": order.cancel_url,
        "expires_at": int(order.expires_at.timestamp()),
        # What we ask for is what is paid: no conversion to the buyer's own currency.
        "adaptive_pricing": {"enabled": False},
        "line_items": [_line(order)],
        "payment_intent_data": _intent(order),
    }
    if has_tax:
        asked["automatic_tax"] = {"enabled": True}
        asked["tax_id_collection"] = {"enabled": True}
        # Stripe keeps the address and the number with the customer.
        asked["customer_update"] = {"address": "auto", "name": "auto"}
    return asked


def _line(order: CheckoutOrder) -> "SessionCreateParamsLineItem":
    return {
        "quantity": 1,
        "price_data": {
            "currency": "usd",
            "unit_amount": order.cents,
            "product_data": {"name": order.title},
        },
    }


def _intent(order: CheckoutOrder) -> "SessionCreateParamsPaymentIntentData":
    intent: SessionCreateParamsPaymentIntentData = {
        "metadata": {"payment_id": str(order.payment_id)},
        "receipt_email": order.email,
    }
    if order.saves_card:
        intent["setup_future_usage"] = "off_session"
    return intent
