"""Only what Stripe signed is heard, and 2xx is said only for what is committed."""

import time
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session
from structlog.testing import capture_logs

from gateways.stripe_payments import CheckoutOrder, StripePayments
from models import payments
from models.base import utc_now
from models.payments import Payment, PaymentStatus, StripeEvent
from models.users import User
from settings import get_settings
from tests.embedded.stripe_stand_in.served import ServedStripe, signed
from tests.webapp.browser import Browser

PATH = "/webhooks/stripe"
GRANT, TEN = 1_000_000, 10_000_000


def begun(db: Session, user: User) -> tuple[Payment, str]:
    """A payment with its page at the stand-in."""
    till = StripePayments(get_settings())
    payment = payments.begin(db, user.id, TEN)
    customer = till.add_customer(user.id, user.email, user.name)
    order = CheckoutOrder(
        payment_id=payment.id,
        customer_id=customer,
        email=user.email,
        cents=1_000,
        title="Credits",
        saves_card=False,
        success_url="http://127.0.0.1/",
        cancel_url="http://127.0.0.1/",
        expires_at=utc_now(),
    )
    page = till.begin_checkout(order)
    payments.page_is_open(db, payment.id, page.id)
    payments.is_customer(db, user.id, customer)
    db.commit()
    return payment, page.id


def completed(stripe: ServedStripe, session_id: str) -> dict[str, Any]:
    stripe.pay(session_id)
    return stripe.events("checkout.session.completed")[-1]


def test_a_signed_event_credits_without_a_login_or_a_token(
    browser: Browser, ada: User, db: Session, stripe: ServedStripe
) -> None:
    payment, session_id = begun(db, ada)
    hook = signed(completed(stripe, session_id))

    assert browser.client.post(PATH, **hook).status_code == 200
    assert browser.client.post(PATH, **hook).status_code == 200

    db.refresh(ada)
    db.refresh(payment)
    assert ada.credits_balance_micros == GRANT + TEN
    assert payment.status is PaymentStatus.PAID


@pytest.mark.parametrize("fault", ["tampered", "old", "unsigned", "guessed"])
def test_what_is_not_stripes_is_refused_and_logged_once(
    browser: Browser, ada: User, db: Session, stripe: ServedStripe, fault: str
) -> None:
    _, session_id = begun(db, ada)
    event = completed(stripe, session_id)
    hook = {
        "tampered": {**signed(event), "data": signed({**event, "id": "evt_other"})["data"]},
        "old": signed(event, at=int(time.time()) - 301),
        "unsigned": {"data": signed(event)["data"]},
        "guessed": signed(event, secret="whsec_guessed"),
    }[fault]

    with capture_logs() as lines:
        answer = browser.client.post(PATH, **hook)

    assert answer.status_code == 400
    assert [line["event"] for line in lines if line["log_level"] == "warning"] == ["stripe.refused"]
    db.refresh(ada)
    assert ada.credits_balance_micros == GRANT
    assert db.scalar(sa.select(StripeEvent.id)) is None


def test_what_comes_too_early_is_wanted_again(
    browser: Browser, ada: User, db: Session, stripe: ServedStripe
) -> None:
    _, session_id = begun(db, ada)
    paid = completed(stripe, session_id)
    intent = paid["data"]["object"]["payment_intent"]
    stripe.api("POST", "refunds", payment_intent=intent)
    back = signed(stripe.events("refund.created")[-1])

    assert browser.client.post(PATH, **back).status_code == 409
    assert browser.client.post(PATH, **signed(paid)).status_code == 200
    assert browser.client.post(PATH, **back).status_code == 200
    db.refresh(ada)
    assert ada.credits_balance_micros == GRANT


def test_another_amount_than_we_asked_for_is_told_once_and_not_credited(
    browser: Browser, ada: User, db: Session, stripe: ServedStripe
) -> None:
    payment, session_id = begun(db, ada)
    event = completed(stripe, session_id)
    event["data"]["object"]["amount_subtotal"] = 1

    with capture_logs() as lines:
        for _ in range(2):
            assert browser.client.post(PATH, **signed(event)).status_code == 200

    assert [line["event"] for line in lines if line["log_level"] == "error"] == ["stripe.set_aside"]
    db.refresh(payment)
    assert payment.status is PaymentStatus.OPEN
    assert db.scalar(sa.select(StripeEvent.trouble))


def test_what_cannot_be_committed_is_not_accepted(
    browser: Browser, ada: User, db: Session, stripe: ServedStripe
) -> None:
    _, session_id = begun(db, ada)
    stripe.pay(session_id)
    event = stripe.events("charge.succeeded")[-1]
    # PostgreSQL has no such letter.
    event["data"]["object"]["receipt_url"] = "\0"

    assert browser.client.post(PATH, **signed(event)).status_code == 500

    assert db.scalar(sa.select(StripeEvent.id)) is None


def test_events_of_others_are_none_of_our_business(
    browser: Browser, stripe: ServedStripe, db: Session
) -> None:
    assert stripe
    body = {"id": "evt_1", "object": "event", "type": "customer.created", "created": 1}
    hook = signed({**body, "data": {"object": {"id": "cus_1", "object": "customer"}}})

    assert browser.client.post(PATH, **hook).status_code == 200
    assert db.scalar(sa.select(StripeEvent.id)) is None


def test_where_nothing_is_sold_nothing_is_heard(browser: Browser) -> None:
    assert browser.client.post(PATH, data=b"{}").status_code == 404
