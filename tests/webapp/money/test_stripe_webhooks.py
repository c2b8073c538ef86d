"""Only what Stripe signed is heard, and 2xx is said only for what is committed."""

import time
from collections import Counter
from itertools import islice
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session
from structlog.testing import capture_logs

from embedded.fake_stripe.deliveries import signature
from gateways.stripe_checkouts import CheckoutOrder
from gateways.stripe_events import TYPES
from gateways.stripe_payments import StripePayments
from models import payments
from models.base import utc_now
from models.schema.payments import Payment, PaymentStatus, StripeEvent
from models.schema.users import User
from settings import get_settings
from tests.embedded.fake_stripe.served import SECRET, ServedStripe, signed
from tests.gateways.test_stripe_events import known_event, twisted
from tests.webapp.browser import Browser
from webapp.core.sizes import WEBHOOK_BYTES

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
    payments.record_checkout(db, payment.id, page.id)
    payments.record_customer(db, user.id, customer)
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
    # As when the database is older than the program.
    db.execute(sa.text("ALTER TABLE stripe_events ADD CHECK (kind <> 'charge.succeeded')"))
    db.commit()

    assert browser.client.post(PATH, **signed(event)).status_code == 500

    assert db.scalar(sa.select(StripeEvent.id)) is None


@pytest.mark.parametrize("kind", TYPES)
def test_signed_events_of_a_wrong_shape_are_refused_and_change_nothing(
    browser: Browser, ada: User, db: Session, stripe: ServedStripe, kind: str
) -> None:
    payment, _ = begun(db, ada)
    answers: Counter[int] = Counter()
    # `tests.gateways.test_stripe_events` reads them all.
    for event in islice(twisted(known_event(kind, payment.id)), None, None, 37):
        with db.begin_nested() as before:
            answers[browser.client.post(PATH, **signed(event)).status_code] += 1
            db.expire_all()
            before.rollback()

    assert set(answers) <= {200, 409, 422}
    assert answers[422] >= 3


@pytest.mark.parametrize(
    "payload",
    [b"[" * 100_000, b"9" * 5000, b"nan", b"[]", b"{}", b'"\\ud800"'],
    ids=["deep", "long number", "no number", "list", "empty", "half a pair"],
)
def test_what_is_signed_but_no_event_is_refused(
    browser: Browser, stripe: ServedStripe, payload: bytes
) -> None:
    proof = signature(payload, SECRET, int(time.time()))
    headers = {"Stripe-Signature": proof}
    with capture_logs() as lines:
        assert browser.client.post(PATH, data=payload, headers=headers).status_code == 422
    assert [line["event"] for line in lines if line["log_level"] == "error"] == ["stripe.bad_event"]


@pytest.mark.parametrize(
    "header",
    ["t=1,v1=\xe9", "t=" + "9" * 5000 + ",v1=a", "v1=a", "t=x"],
    ids=["other letters", "late", "without a time", "no time"],
)
def test_odd_signatures_are_refused(browser: Browser, stripe: ServedStripe, header: str) -> None:
    sent = browser.client.post(PATH, data=b"{}", headers={"Stripe-Signature": header})
    assert sent.status_code == 400


def test_an_event_that_contradicts_the_books_is_set_aside(
    browser: Browser, ada: User, db: Session, stripe: ServedStripe
) -> None:
    first, session_id = begun(db, ada)
    paid = completed(stripe, session_id)
    assert browser.client.post(PATH, **signed(paid)).status_code == 200
    second = payments.begin(db, ada.id, TEN)
    db.commit()
    paid["id"] = "evt_2"
    paid["data"]["object"]["metadata"]["payment_id"] = str(second.id)

    with capture_logs() as lines:
        assert browser.client.post(PATH, **signed(paid)).status_code == 200

    assert [line["event"] for line in lines if line["log_level"] == "error"] == ["stripe.set_aside"]
    db.refresh(ada)
    db.refresh(first)
    db.refresh(second)
    assert ada.credits_balance_micros == GRANT + TEN
    assert (first.status, second.status) == (PaymentStatus.PAID, PaymentStatus.OPEN)


def test_an_event_that_names_no_payment_is_nobodys(
    browser: Browser, ada: User, db: Session, stripe: ServedStripe
) -> None:
    payment, session_id = begun(db, ada)
    paid = completed(stripe, session_id)
    paid["data"]["object"] |= {"metadata": {}, "payment_intent": None}

    assert browser.client.post(PATH, **signed(paid)).status_code == 200

    db.refresh(payment)
    assert payment.status is PaymentStatus.OPEN


def test_a_body_that_is_too_long_is_not_read(browser: Browser, stripe: ServedStripe) -> None:
    long = b" " * (WEBHOOK_BYTES + 1)
    assert browser.client.post(PATH, data=long).status_code == 413


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
