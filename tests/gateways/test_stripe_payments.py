"""Stripe's own SDK against the stand-in, over a socket."""

import json
import time
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest

from gateways.stripe_checkouts import Checkout, CheckoutOrder
from gateways.stripe_events import Notice, SavedCard
from gateways.stripe_payments import (
    AutomaticCharge,
    BadSignature,
    PaymentsFailed,
    StripePayments,
)
from settings import get_settings
from tests.embedded.fake_stripe.served import ServedStripe, signed

NOW = datetime.now(UTC)


@pytest.fixture
def payments(stripe: ServedStripe) -> StripePayments:
    assert stripe
    return StripePayments(get_settings())


def order(customer_id: str, *, saves_card: bool = False) -> CheckoutOrder:
    return CheckoutOrder(
        payment_id=uuid4(),
        customer_id=customer_id,
        email="ada@example.org",
        cents=1_000,
        title="Credits",
        saves_card=saves_card,
        success_url="http://127.0.0.1/done",
        cancel_url="http://127.0.0.1/back",
        expires_at=NOW + timedelta(hours=1),
    )


def customer(payments: StripePayments) -> str:
    return payments.add_customer(uuid4(), "ada@example.org", "Ada")


def told(payments: StripePayments, payment_id: UUID, happening: str) -> Notice:
    found = payments.told_since(NOW - timedelta(hours=1))
    return next(one for one in found if one.payment_id == payment_id and one.happening == happening)


def with_card(stripe: ServedStripe, payments: StripePayments, last4: str) -> AutomaticCharge:
    """A charge of a card that was saved at a first payment."""
    bought = order(customer(payments), saves_card=True)
    stripe.pay(payments.begin_checkout(bought).id, last4)
    cards = [
        one.card
        for one in payments.told_since(NOW - timedelta(hours=1))
        if one.happening == "card_saved" and one.customer_id == bought.customer_id
    ]
    assert cards[0] is not None
    return AutomaticCharge(
        uuid4(), bought.customer_id, cards[0].id, bought.email, 500, "Automatic top-up"
    )


def test_the_api_version_is_the_one_of_the_sdk() -> None:
    import stripe as sdk  # noqa: PLC0415  # the name is a fixture's here

    from gateways.stripe_payments import API_VERSION  # noqa: PLC0415

    assert sdk.api_version == API_VERSION


def test_a_customer_is_made_once(payments: StripePayments) -> None:
    person = uuid4()
    first = payments.add_customer(person, "ada@example.org", "Ada")

    assert payments.add_customer(person, "ada@example.org", "Ada") == first
    assert payments.add_customer(uuid4(), "ada@example.org", "Ada") != first
    # A new address between two tries is no reason to fail.
    assert payments.add_customer(person, "ada@example.net", "Ada")


def test_a_payment_page_is_made_once_and_told_when_it_is_paid(
    payments: StripePayments, stripe: ServedStripe
) -> None:
    bought = order(customer(payments))
    page = payments.begin_checkout(bought)
    assert isinstance(page, Checkout)
    assert payments.begin_checkout(bought) == page

    stripe.pay(page.id)
    paid = told(payments, bought.payment_id, "paid")
    assert (paid.bought_cents, paid.paid_cents, paid.currency) == (1_000, 1_000, "usd")
    assert paid.customer_id == bought.customer_id
    assert told(payments, bought.payment_id, "receipt").receipt_url.startswith(stripe.url)


def test_a_card_is_saved_only_with_consent(payments: StripePayments, stripe: ServedStripe) -> None:
    without = order(customer(payments))
    stripe.pay(payments.begin_checkout(without).id)
    saved = [
        one
        for one in payments.told_since(NOW - timedelta(hours=1))
        if one.happening == "card_saved" and one.customer_id == without.customer_id
    ]
    assert saved == []

    charge = with_card(stripe, payments, "4242")
    newest = payments.told_since(NOW - timedelta(hours=1))
    assert SavedCard(charge.card_id, "visa", "4242", "fakevisa4242") in [one.card for one in newest]


def test_a_saved_card_is_charged_once(payments: StripePayments, stripe: ServedStripe) -> None:
    charge = with_card(stripe, payments, "4242")
    first, again = payments.charge(charge), payments.charge(charge)

    assert first == again
    assert first.status == "accepted"
    assert told(payments, charge.payment_id, "paid").intent_id == first.intent_id


@pytest.mark.parametrize(
    ("last4", "code"), [("0341", "card_declined"), ("3155", "authentication_required")]
)
def test_a_card_that_does_not_pay_says_why(
    payments: StripePayments, stripe: ServedStripe, last4: str, code: str
) -> None:
    charge = with_card(stripe, payments, last4)
    outcome = payments.charge(charge)

    assert (outcome.status, outcome.code) == ("failed", code)
    assert outcome.intent_id
    assert told(payments, charge.payment_id, "failed").failure_code == code


def test_refunds_are_told_one_by_one_with_what_became_of_them(
    payments: StripePayments, stripe: ServedStripe
) -> None:
    bought = order(customer(payments))
    intent = stripe.pay(payments.begin_checkout(bought).id)["payment_intent"]
    stays, fails = (
        stripe.api("POST", "refunds", payment_intent=intent, amount=cents).json()["id"]
        for cents in ("100", "250")
    )
    stripe.act(f"refunds/{fails}/failure")

    heard = [
        (one.happening, one.refund_id, one.back_cents)
        for one in payments.told_since(NOW - timedelta(hours=1))
        if one.refund_id in {stays, fails}
    ]
    assert heard == [
        ("refunded", stays, 100),
        ("refunded", fails, 250),
        *3 * [("refund_failed", fails, 250)],
    ]


def test_disputes_are_told_with_their_status(
    payments: StripePayments, stripe: ServedStripe
) -> None:
    bought = order(customer(payments))
    intent = stripe.pay(payments.begin_checkout(bought).id)["payment_intent"]
    dispute = stripe.act("disputes", payment_intent=intent)
    stripe.act(f"disputes/{dispute['id']}/closing", status="won")

    heard = [
        (one.happening, one.dispute_status, one.back_cents)
        for one in payments.told_since(NOW - timedelta(hours=1))
        if one.dispute_id == dispute["id"]
    ]
    assert heard == [("disputed", "needs_response", 1_000), ("dispute_closed", "won", 1_000)]


def test_the_portal_has_an_address(payments: StripePayments, stripe: ServedStripe) -> None:
    url = payments.portal_url(customer(payments), "http://127.0.0.1/billing")
    assert url.startswith(stripe.url)


def test_a_webhook_is_read_when_stripe_signed_it(
    payments: StripePayments, stripe: ServedStripe
) -> None:
    bought = order(customer(payments))
    stripe.pay(payments.begin_checkout(bought).id)
    hook = signed(stripe.events("checkout.session.completed")[-1])

    notice = payments.verified(hook["data"], hook["headers"]["Stripe-Signature"])

    assert notice is not None
    assert (notice.happening, notice.payment_id) == ("paid", bought.payment_id)


def test_a_webhook_of_no_interest_is_read_as_none(payments: StripePayments) -> None:
    body = {"id": "evt_1", "object": "event", "type": "payout.paid", "created": 1}
    hook = signed({**body, "data": {"object": {"id": "po_1", "object": "payout"}}})

    assert payments.verified(hook["data"], hook["headers"]["Stripe-Signature"]) is None


def test_what_stripe_did_not_sign_is_refused(
    payments: StripePayments, stripe: ServedStripe
) -> None:
    stripe.pay(payments.begin_checkout(order(customer(payments))).id)
    event = stripe.events("checkout.session.completed")[-1]
    hook = signed(event)
    proof = hook["headers"]["Stripe-Signature"]
    changed = json.dumps({**event, "created": 1}).encode()
    old = signed(event, at=int(time.time()) - 301)
    other = signed(event, secret="whsec_guessed")

    for payload, given in (
        (changed, proof),
        (hook["data"], ""),
        (hook["data"], "t=1,v1=00"),
        (b"not json", signed({}, secret="x")["headers"]["Stripe-Signature"]),
        (old["data"], old["headers"]["Stripe-Signature"]),
        (other["data"], other["headers"]["Stripe-Signature"]),
    ):
        with pytest.raises(BadSignature):
            payments.verified(payload, given)


def test_what_stripe_refuses_is_permanent_and_its_absence_is_not(
    payments: StripePayments, stripe: ServedStripe, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(PaymentsFailed) as refused:
        payments.portal_url("cus_unknown", "http://127.0.0.1")
    assert refused.value.permanent

    monkeypatch.setenv("STRIPE_API_BASE", "http://127.0.0.1:9")
    get_settings.cache_clear()
    with pytest.raises(PaymentsFailed) as away:
        StripePayments(get_settings()).portal_url("cus_1", "http://127.0.0.1")
    assert not away.value.permanent


def test_without_a_key_there_are_no_payments(
    stripe: ServedStripe, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("STRIPE_WEBHOOK_SECRET")
    get_settings.cache_clear()
    with pytest.raises(PaymentsFailed):
        StripePayments(get_settings())
    assert not get_settings().sells_credits
    monkeypatch.undo()


def test_a_deleted_customer_is_gone_with_the_cards_and_deleted_twice_is_no_matter(
    payments: StripePayments, stripe: ServedStripe
) -> None:
    charge = with_card(stripe, payments, "4242")
    for _ in range(2):
        payments.delete_customer(charge.customer_id)
    assert stripe.api("GET", f"customers/{charge.customer_id}").json()["deleted"] is True
    with pytest.raises(PaymentsFailed):
        payments.charge(charge)
    with pytest.raises(PaymentsFailed):
        payments.portal_url(charge.customer_id, "http://127.0.0.1/")
    # One of whom Stripe has never heard.
    payments.delete_customer("cus_unknown")


def test_a_customer_whom_stripe_will_not_delete_is_said(
    payments: StripePayments, stripe: ServedStripe, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STRIPE_SECRET_KEY", "no_key")
    get_settings.cache_clear()
    with pytest.raises(PaymentsFailed) as refused:
        StripePayments(get_settings()).delete_customer(customer(payments))
    # It is our key: once that is good, asking again helps.
    assert not refused.value.permanent
    assert stripe
    monkeypatch.undo()
    get_settings.cache_clear()
