"""The billing page: buying, following a payment, history, and that it is all one's own."""

import re
from urllib.parse import urlsplit

import pytest
from sqlalchemy.orm import Session

from actions import stripe_backfill
from actions.sentences import freezes
from models import ledger, payments
from models.base import utc_now
from models.schema.ledger import FreezeReason
from models.schema.payments import BillingAccount, Payment, PaymentStatus
from models.schema.users import User
from settings import get_settings
from tests.embedded.fake_stripe.served import ServedStripe
from tests.webapp.browser import Browser
from webapp.money.billing_views import PAGE_LENGTH

TEN = 10_000_000


def listen() -> None:
    """Take in all that Stripe has to tell."""
    stripe_backfill.ask_stripe()


def newest(db: Session, user: User) -> Payment:
    return payments.list_own(db, user.id)[0]


def buy(browser: Browser, db: Session, user: User, stripe: ServedStripe, **form: str) -> Payment:
    """Top up and pay on the stand-in's page; the webhook has not come yet."""
    answer = browser.post("/billing/top-ups", {"amount": "10", **form})
    assert answer.status_code == 303, answer.text
    stripe.pay(urlsplit(answer.location).path.rpartition("/")[2])
    return newest(db, user)


def test_the_page_shows_both_kinds_of_credit(adas: Browser, ada: User, db: Session) -> None:
    ledger.top_up(db, ada, TEN, reference="t")
    db.commit()
    page = adas.read("/billing")

    assert "$11.00" in page
    assert "$10.00" in page
    assert "Free credits" in page
    assert 'href="/billing"' in adas.read("/chat")


def test_buying_leads_to_stripes_page_with_the_right_amount(
    adas: Browser, ada: User, db: Session, stripe: ServedStripe
) -> None:
    answer = adas.post("/billing/top-ups", {"amount": "custom", "custom": " $12.50 "})

    assert answer.status_code == 303
    assert answer.location.startswith(f"{stripe.url}/c/pay/")
    payment = newest(db, ada)
    assert payment.amount_micros == 12_500_000
    session = stripe.api("GET", f"checkout/sessions/{payment.stripe_checkout_id}").json()
    assert session["amount_total"] == 1250
    assert session["success_url"].startswith(get_settings().public_url)
    assert stripe.url in adas.get("/billing").headers["Content-Security-Policy"]


@pytest.mark.parametrize("typed", ["", "abc", "-5", "1", "1e9", "NaN", "5.001", "9" * 40])
@pytest.mark.usefixtures("stripe")
def test_odd_amounts_are_refused_and_stay_in_the_form(
    adas: Browser, ada: User, db: Session, typed: str
) -> None:
    answer = adas.post("/billing/top-ups", {"amount": "custom", "custom": typed})

    assert answer.status_code == 422
    assert "Please choose an amount" in answer.text
    assert payments.list_own(db, ada.id) == []


def test_a_customer_is_made_once(
    adas: Browser, ada: User, db: Session, stripe: ServedStripe
) -> None:
    buy(adas, db, ada, stripe)
    first = db.get_one(BillingAccount, ada.id, populate_existing=True).stripe_customer_id
    buy(adas, db, ada, stripe)
    again = db.get_one(BillingAccount, ada.id, populate_existing=True).stripe_customer_id

    assert first is not None
    assert again == first


def test_coming_back_waits_until_stripe_has_told(
    adas: Browser, ada: User, db: Session, stripe: ServedStripe
) -> None:
    payment = buy(adas, db, ada, stripe)
    page = adas.read(f"/billing/payments/{payment.id}")
    assert "Waiting for Stripe" in page
    assert "every 2s" in page

    listen()
    page = adas.read(f"/billing/payments/{payment.id}/state")
    assert "$10.00 added" in page
    assert "every 2s" not in page
    assert "Receipt" in adas.read("/billing")


def test_a_payment_that_was_not_made_says_so(
    adas: Browser, ada: User, db: Session, stripe: ServedStripe
) -> None:
    adas.post("/billing/top-ups", {"amount": "5"})
    payment = newest(db, ada)
    assert "Nothing was charged" in adas.read(f"/billing/payments/{payment.id}/cancelled")
    assert "Not finished" in adas.read("/billing")

    stripe.act(f"sessions/{payment.stripe_checkout_id}/expiry")
    listen()
    assert "not used in time" in adas.read(f"/billing/payments/{payment.id}")


def test_without_stripe_nothing_is_charged_and_that_is_said(
    adas: Browser,
    ada: User,
    db: Session,
    stripe: ServedStripe,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert stripe
    with monkeypatch.context() as changed:
        changed.setenv("STRIPE_API_BASE", "http://127.0.0.1:9")
        get_settings.cache_clear()
        answer = adas.post("/billing/top-ups", {"amount": "5"})
    get_settings.cache_clear()

    assert answer.status_code == 422
    assert "cannot be reached" in answer.text
    assert newest(db, ada).status is PaymentStatus.FAILED


def test_where_nothing_is_sold_the_page_says_so(adas: Browser, ada: User, db: Session) -> None:
    assert "cannot be bought" in adas.read("/billing")
    assert adas.post("/billing/top-ups", {"amount": "5"}).status_code == 422


def test_who_is_frozen_reads_why_and_cannot_buy(
    adas: Browser, ada: User, db: Session, stripe: ServedStripe
) -> None:
    assert stripe
    ledger.freeze(ada, FreezeReason.DISPUTE)
    db.commit()

    page = adas.read("/billing")
    assert freezes.freeze(FreezeReason.DISPUTE, {}) in page
    assert 'href="mailto:hello@localhost"' in page
    assert adas.post("/billing/top-ups", {"amount": "5"}).status_code == 422
    assert payments.list_own(db, ada.id) == []


def test_automatic_top_up_needs_a_card_and_a_plan(
    adas: Browser, ada: User, db: Session, stripe: ServedStripe
) -> None:
    plan = {"is_on": "yes", "below": "2", "by": "10", "most": "50"}
    assert adas.post("/billing/auto-top-up", plan).status_code == 422

    buy(adas, db, ada, stripe, save_card="yes")
    listen()
    assert "ending in 4242" in adas.read("/billing")
    assert adas.post("/billing/auto-top-up", {**plan, "most": "9"}).status_code == 422
    assert adas.post("/billing/auto-top-up", plan).status_code == 303
    account = db.get_one(BillingAccount, ada.id, populate_existing=True)
    assert (account.top_up_is_on, account.top_up_micros) == (True, TEN)

    adas.post("/billing/auto-top-up", {"is_on": "no"})
    assert not db.get_one(BillingAccount, ada.id, populate_existing=True).top_up_is_on


def test_a_card_is_not_kept_unless_it_is_wanted(
    adas: Browser, ada: User, db: Session, stripe: ServedStripe
) -> None:
    buy(adas, db, ada, stripe)
    listen()
    assert db.get_one(BillingAccount, ada.id, populate_existing=True).card_id is None


def test_the_portal_is_ones_own(
    adas: Browser, eves: Browser, ada: User, db: Session, stripe: ServedStripe
) -> None:
    buy(adas, db, ada, stripe)
    assert adas.post("/billing/portal").location.startswith(f"{stripe.url}/p/session/")
    assert eves.post("/billing/portal").location == "/billing"


def test_history_is_filtered_paged_and_exported(adas: Browser, ada: User, db: Session) -> None:
    for number in range(PAGE_LENGTH + 3):
        ledger.grant(db, ada.id, 10_000 + number, reference=f"gift:{number}")
    ledger.top_up(db, ada, TEN, reference="payment:x")
    db.commit()

    only = adas.read("/billing?kind=payments")
    assert "+$10.00" in only
    assert "+$0.01" not in only
    month = f"{utc_now():%Y-%m}"
    assert "+$10.00" in adas.read(f"/billing?month={month}")
    assert "Nothing of this kind" in adas.read("/billing?month=2020-01")
    first = adas.read("/billing")
    earlier = first.partition("before=")[2].partition('"')[0].partition("#")[0]
    assert "+$10.00" not in adas.read(f"/billing?before={earlier}").partition("History")[2]
    table = adas.get("/billing/history.csv?kind=payments")
    assert table.mimetype == "text/csv"
    assert table.text.splitlines()[1].split(",")[1:3] == ["top_up", "10"]
    assert len(adas.get("/billing/history.csv").text.splitlines()) == PAGE_LENGTH + 6


@pytest.mark.parametrize("odd", ["kind=x", "month=13", "before=1", "month=0000-00", "kind='"])
def test_odd_filters_are_left_out(adas: Browser, odd: str) -> None:
    assert "Free credits" in adas.read(f"/billing?{odd}")


def test_nobody_sees_or_changes_what_is_anothers(
    adas: Browser, eves: Browser, browser: Browser, ada: User, db: Session, stripe: ServedStripe
) -> None:
    payment = buy(adas, db, ada, stripe, save_card="yes")
    listen()
    for path in ("", "/state", "/cancelled"):
        address = f"/billing/payments/{payment.id}{path}"
        assert eves.get(address).status_code == 404
        assert browser.get(address).location.startswith("/login")
    assert "$11.00" not in eves.read("/billing")
    # Ids and the names of files may have any number in them.
    assert "ending in 4242" not in eves.read("/billing")
    assert "top_up" not in eves.get("/billing/history.csv").text
    eves.post("/billing/auto-top-up", {"is_on": "no"})
    assert db.get_one(BillingAccount, ada.id, populate_existing=True).card_id
    for path in ("/billing", "/billing/history.csv"):
        assert browser.get(path).location.startswith("/login")


@pytest.mark.parametrize("path", ["top-ups", "portal", "auto-top-up"])
def test_forms_need_their_token(adas: Browser, path: str) -> None:
    assert adas.client.post(f"/billing/{path}", data={"amount": "5"}).status_code == 400


@pytest.mark.usefixtures("stripe")
def test_an_amount_that_is_typed_is_not_passed_over_for_another(
    adas: Browser, ada: User, db: Session
) -> None:
    answer = adas.post("/billing/top-ups", {"amount": "10", "custom": "25.50"})

    assert answer.status_code == 422
    assert "You typed an amount while another one was chosen" in answer.text
    assert payments.list_own(db, ada.id) == []
    # Sent again as it is now, it asks for what was typed.
    assert 'value="25.50"' in answer.text
    assert re.search(r'value="custom"[^>]* checked', answer.text)
    assert not re.search(r'value="10"[^>]* checked', answer.text)
    assert adas.post("/billing/top-ups", {"amount": "custom", "custom": "25.50"}).location
    assert newest(db, ada).amount_micros == 25_500_000


@pytest.mark.parametrize(
    ("field", "typed", "words"),
    [
        ("below", "1e999990", "Type an amount in dollars"),
        ("below", "0", "This must be more than $0.00."),
        ("by", "1", "Please choose an amount between $5.00 and $500.00."),
        ("most", "9", "A month must allow for one top-up at least."),
        ("most", "often", "Type an amount in dollars"),
    ],
)
def test_what_is_wrong_with_a_plan_is_said_at_its_field_and_nothing_is_lost(
    adas: Browser, ada: User, db: Session, stripe: ServedStripe, field: str, typed: str, words: str
) -> None:
    buy(adas, db, ada, stripe, save_card="yes")
    listen()
    plan = {"is_on": "yes", "below": "3", "by": "11", "most": "44", field: typed}

    answer = adas.post("/billing/auto-top-up", plan)

    assert answer.status_code == 422
    said = re.search(rf'<p class="[^"]*" id="{field}-wrong">([^<]+)</p>', answer.text)
    assert said
    assert words in said[1]
    assert re.search(rf'name="{field}"[^>]*aria-describedby="{field}-wrong"', answer.text)
    assert answer.text.count('aria-invalid="true"') == 1
    for name in ("below", "by", "most"):
        assert re.search(rf'name="{name}"\s+value="{plan[name]}"', answer.text)
    assert "choose an amount from the list" not in answer.text
    assert not db.get_one(BillingAccount, ada.id, populate_existing=True).top_up_is_on
