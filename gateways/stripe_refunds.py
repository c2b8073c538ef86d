"""Refunds at Stripe: asked for by us, and looked up when no answer came."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Any, cast
from uuid import UUID

from gateways import values
from gateways.stripe_payments import StripePayments, TranslatedErrors

# Stripe's largest page, and so many of them: two questions.
PAGE = 100
MOST = 2 * PAGE


@dataclass(frozen=True)
class RefundRequest:
    """Money of a payment that is to go back; `order_id` is ours."""

    order_id: UUID
    intent_id: str
    cents: int


@dataclass(frozen=True)
class FoundRefunds:
    """Refunds at Stripe by the orders of ours that they came from, without a gap `reaches_to`."""

    by_order: Mapping[UUID, str]
    reaches_to: datetime


class StripeRefunds(StripePayments):
    """The same account, for refunds. Each method may raise PaymentsFailed."""

    def refund(self, wanted: RefundRequest) -> str:
        """Give money of a payment back, once for each order; return Stripe's id of it."""
        with TranslatedErrors():
            made = self._client.v1.refunds.create(
                {
                    "payment_intent": wanted.intent_id,
                    "amount": wanted.cents,
                    "reason": "requested_by_customer",
                    "metadata": {"refund_order": str(wanted.order_id)},
                },
                {"idempotency_key": f"refund:{wanted.order_id}"},
            )
        return values.stripe_id(made.id)

    def refunds_since(self, since: datetime) -> FoundRefunds:
        """Look up which of our orders Stripe has, by two questions at most."""
        asked: Any = {"created": {"gte": int(since.timestamp())}, "limit": PAGE}
        with TranslatedErrors():
            listed = self._client.v1.refunds.list(asked).auto_paging_iter()
            found = [one.to_dict() for one in islice(listed, MOST)]
        ours = {order: values.stripe_id(one["id"]) for one in found if (order := _order_of(one))}
        is_whole = len(found) < MOST
        return FoundRefunds(ours, since if is_whole else values.moment(found[-1]["created"]))


def _order_of(refund: Mapping[str, Any]) -> UUID | None:
    about = cast(Mapping[str, Any], refund.get("metadata") or {})
    return values.uuid_or_none(about.get("refund_order"))
