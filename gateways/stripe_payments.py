"""Stripe, through its own SDK: payment pages, saved cards, the portal, and what it tells us.

Every request that changes something carries an idempotency key of ours, so asking twice does it
once. No card ever passes through here: people type it on Stripe's pages.
"""

import json
import re
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any, Literal, cast
from uuid import UUID

import stripe
import structlog

from gateways import stripe_checkouts, stripe_events, stripe_statements
from gateways.stripe_checkouts import Checkout, CheckoutOrder
from gateways.stripe_events import BadEvent, Notice
from gateways.stripe_statements import Statement
from settings import Settings

log = structlog.get_logger()

# The one that this version of the SDK speaks; webhooks must be set up for the same.
API_VERSION = "2026-10-28.endive"
# A webhook that is older was recorded by somebody and is sent again.
TOLERANCE_SECONDS = 300
TIMEOUT_SECONDS = 20
MAX_RETRIES = 2
SIGNATURE = re.compile(r"t=[0-9]{1,12}(?:,v[0-9]=[0-9a-f]{1,128}){1,10}")


class PaymentsFailed(Exception):
    """Stripe could not be reached, or refused; `permanent` if asking again is vain.

    A key that Stripe does not take is our fault, and ends once an admin has set a good one.
    """

    def __init__(self, reason: str, *, permanent: bool) -> None:
        super().__init__(reason)
        self.permanent = permanent


class BadSignature(Exception):
    """A webhook that Stripe did not send, or too long ago."""


@dataclass(frozen=True)
class AutomaticCharge:
    """A payment with a saved card while its owner is away."""

    payment_id: UUID
    customer_id: str
    card_id: str
    email: str
    cents: int
    title: str


@dataclass(frozen=True)
class ChargeOutcome:
    """How that went. The money counts once a webhook says so; `code` says why it failed."""

    status: Literal["accepted", "failed"]
    intent_id: str | None
    code: str = ""


class StripePayments:
    """One account at Stripe. Each method may raise PaymentsFailed."""

    def __init__(self, settings: Settings) -> None:
        """Use the key of the settings; nothing connects yet."""
        if settings.stripe_secret_key is None or settings.stripe_webhook_secret is None:
            raise PaymentsFailed("There is no key for Stripe.", permanent=True)
        base = settings.stripe_api_base
        self._client = stripe.StripeClient(
            settings.stripe_secret_key.get_secret_value(),
            stripe_version=API_VERSION,
            base_addresses={"api": base} if base else None,
            max_network_retries=MAX_RETRIES,
            http_client=stripe.RequestsClient(timeout=TIMEOUT_SECONDS),
        )
        self._webhook_secret = settings.stripe_webhook_secret.get_secret_value()
        self._has_tax = settings.stripe_tax

    def add_customer(self, user_id: UUID, email: str, name: str) -> str:
        """Make the customer that stands for a person; the same one however often it is asked."""
        # Who has another address by now is asked for with other words, which want another key.
        words = sha256(f"{email}\n{name}".encode()).hexdigest()[:16]
        key = f"customer:{user_id}:{words}"
        with TranslatedErrors():
            made = self._client.v1.customers.create(
                {"email": email, "name": name, "metadata": {"user_id": str(user_id)}},
                {"idempotency_key": key},
            )
        return made.id

    def delete_customer(self, customer_id: str) -> None:
        """Delete a customer with their cards; nothing happens if there is none any more."""
        with TranslatedErrors():
            try:
                self._client.v1.customers.delete(customer_id)
            except stripe.InvalidRequestError as error:
                if error.code != "resource_missing":
                    raise

    def begin_checkout(self, order: CheckoutOrder) -> Checkout:
        """Make a page on which a person pays."""
        with TranslatedErrors():
            made = self._client.v1.checkout.sessions.create(
                stripe_checkouts.page(order, has_tax=self._has_tax),
                {"idempotency_key": f"checkout:{order.payment_id}"},
            )
        if made.url is None:
            raise PaymentsFailed("Stripe gave no address for the page.", permanent=True)
        return Checkout(made.id, made.url)

    def charge(self, order: AutomaticCharge) -> ChargeOutcome:
        """Charge a saved card, once per payment. A card that is declined is an outcome."""
        try:
            with TranslatedErrors():
                made = self._client.v1.payment_intents.create(
                    {
                        "amount": order.cents,
                        "currency": "usd",
                        "customer": order.customer_id,
                        "payment_method": order.card_id,
                        "off_session": True,
                        "confirm": True,
                        "receipt_email": order.email,
                        "description": order.title,
                        "metadata": {"payment_id": str(order.payment_id), "automatic": "yes"},
                    },
                    {"idempotency_key": f"charge:{order.payment_id}"},
                )
        except _Declined as declined:
            return ChargeOutcome("failed", declined.intent_id, declined.code)
        is_accepted = made.status in {"succeeded", "processing"}
        code = "" if is_accepted else "authentication_required"
        return ChargeOutcome("accepted" if is_accepted else "failed", made.id, code)

    def portal_url(self, customer_id: str, return_url: str) -> str:
        """Open Stripe's page for saved cards and receipts; the address is good for minutes."""
        with TranslatedErrors():
            made = self._client.v1.billing_portal.sessions.create(
                {"customer": customer_id, "return_url": return_url}
            )
        return made.url

    def verified(self, payload: bytes, signature: str) -> Notice | None:
        """Read a webhook; None for one that does not matter here.

        Raises BadSignature, and BadEvent for what is signed but has no shape that we know.
        """
        if not SIGNATURE.fullmatch(signature):
            raise BadSignature("no signature of Stripe's form")
        try:
            stripe.WebhookSignature.verify_header(  # pyright: ignore[reportUnknownMemberType]
                payload.decode(), signature, self._webhook_secret, TOLERANCE_SECONDS
            )
        except (stripe.SignatureVerificationError, ValueError) as refused:
            raise BadSignature(str(refused)) from refused
        try:
            return stripe_events.read(json.loads(payload))
        except (ValueError, RecursionError) as unreadable:
            raise BadEvent("no JSON") from unreadable

    def told_since(self, since: datetime) -> list[Notice]:
        """List what happened since then, oldest first, whether its webhook came or not."""
        with TranslatedErrors():
            found = self._client.v1.events.list(
                {
                    "created": {"gte": int(since.timestamp())},
                    "types": list(stripe_events.TYPES),
                    "limit": 100,
                }
            )
            events = [event.to_dict() for event in found.auto_paging_iter()]
        read = [_read(event) for event in reversed(events)]
        return [notice for notice in read if notice is not None]

    def statement(self, since: datetime, most: int) -> Statement:
        """List the payments and refunds that were begun since then, at most so many of each."""
        asked: Any = {"created": {"gte": int(since.timestamp())}, "limit": 100}
        with TranslatedErrors():
            found = self._client.v1.payment_intents.list(asked)
            intents, paid_since = stripe_statements.cut(found.auto_paging_iter(), since, most)
            given = self._client.v1.refunds.list(asked)
            refunds, made_since = stripe_statements.cut(given.auto_paging_iter(), since, most)
        return Statement(
            max(paid_since, made_since),
            list(stripe_statements.paid(intents)),
            list(stripe_statements.made(refunds)),
        )


def _read(event: Any) -> Notice | None:
    """Read an event of a list; one of an odd shape must not hide the others."""
    try:
        return stripe_events.read(event)
    except BadEvent as odd:
        log.error("stripe.bad_event", kind=str(odd), event_id=str(event.get("id"))[:40])
        return None


class _Declined(Exception):
    def __init__(self, code: str, intent_id: str | None) -> None:
        super().__init__(code)
        self.code, self.intent_id = code, intent_id


class TranslatedErrors:
    """Turns the SDK's errors into ours."""

    def __enter__(self) -> None:
        """Nothing to prepare."""

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, stripe.CardError):
            body = cast(dict[str, Any], error.json_body or {}).get("error", {})
            intent = cast(dict[str, Any], body.get("payment_intent") or {})
            codes = (error.code or "", str(body.get("decline_code") or ""))
            asks = "authentication_required"
            raise _Declined(asks if asks in codes else codes[0], intent.get("id")) from error
        if isinstance(error, stripe.StripeError):
            permanent = isinstance(
                error,
                (stripe.InvalidRequestError, stripe.IdempotencyError),
            )
            raise PaymentsFailed(str(error), permanent=permanent) from error
