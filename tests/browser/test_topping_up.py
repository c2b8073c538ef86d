"""Running dry and topping up, in a real browser on the stand-in's payment page."""

from collections.abc import Generator
from uuid import UUID

import httpx2
import pytest
import sqlalchemy as sa
from playwright.sync_api import Page, expect

from models import ledger
from models.base import new_id
from models.ledger.entries import record
from models.schema.ledger import EntryKind, Transaction
from models.schema.users import User
from tests.browser.test_journeys import answer, expect_state, send, sign_up
from tests.embedded.fake_stripe.served import QUIET
from tests.house import House, wait_for

pytestmark = [pytest.mark.engine, pytest.mark.xdist_group("browser")]

TEN = 10_000_000


@pytest.fixture(autouse=True)
def quiet(house: House) -> Generator[None]:
    """Deliveries go well again afterwards."""
    yield
    switch(house)


def switch(house: House, **changed: object) -> None:
    url = f"{house.environment['STRIPE_API_BASE']}/_control/switches"
    httpx2.put(url, json={**QUIET, **changed}).raise_for_status()


def newest(house: House) -> UUID:
    with house.database() as db:
        return db.scalars(sa.select(User.id).order_by(User.id.desc()).limit(1)).one()


def run_dry(house: House, user_id: UUID) -> None:
    with house.database() as db, db.begin():
        user = ledger.lock_account(db, user_id)
        spent = Transaction(
            kind=EntryKind.CHARGE,
            amount_micros=-user.credits_balance_micros,
            reference=f"spent:{new_id()}",
        )
        assert record(db, user, spent)


def balance(house: House, user_id: UUID) -> int:
    with house.database() as db:
        assert ledger.drift(db, user_id) == 0
        return db.get_one(User, user_id).credits_balance_micros


def to_payment(page: Page, dollars: str = "$10") -> None:
    """From the billing page to the stand-in's."""
    page.goto("/billing")
    page.get_by_label(dollars, exact=True).check()
    page.get_by_role("button", name="Go to payment").click()
    expect(page.get_by_text("No real money moves")).to_be_visible()


def test_who_types_an_amount_pays_that(page: Page, house: House) -> None:
    sign_up(page, "Ada")
    page.goto("/billing")
    button = page.get_by_role("button", name="Go to payment")
    expect(button).to_have_text("Go to payment: $10")

    page.get_by_label("Another amount in dollars").fill("25.50")
    expect(page.get_by_label("Another amount", exact=True)).to_be_checked()
    expect(button).to_have_text("Go to payment: $25.50")
    page.get_by_label("$5", exact=True).check()
    expect(button).to_have_text("Go to payment: $5")
    expect(page.get_by_label("Another amount in dollars")).to_have_value("")

    page.get_by_label("Another amount in dollars").fill("25.50")
    button.click()
    expect(page.get_by_text("$25.50").first).to_be_visible()
    expect(page.get_by_text("No real money moves")).to_be_visible()


def choose(page: Page, last4: str) -> None:
    page.get_by_label(last4).check()
    page.get_by_role("button", name="Pay $").click()


def test_who_ran_dry_tops_up_and_their_message_is_answered(page: Page, house: House) -> None:
    sign_up(page, "Ada")
    person = newest(house)
    run_dry(house, person)
    page.reload()
    expect(page.get_by_text("Your credits are used up.")).to_be_visible()
    send(page, "Are you there? [[demo: say Here again.]]")
    expect_state(page, "paused")

    page.locator("article.run").get_by_role("link", name="Top up").click()
    page.wait_for_url("**/billing#top-up")
    page.get_by_label("$10", exact=True).check()
    page.get_by_role("button", name="Go to payment").click()
    choose(page, "4242")

    page.wait_for_url("**/billing/payments/*")
    expect(page.get_by_role("heading", name="$10.00 added")).to_be_visible()
    page.get_by_role("link", name="Back to the chat").click()
    expect_state(page, "sent")
    assert "Here again." in answer(page)
    expect(page.get_by_text("Your credits are used up.")).to_have_count(0)
    page.goto("/billing")
    expect(page.get_by_role("link", name="Receipt")).to_be_visible()


def test_a_page_that_is_open_meanwhile_shows_it_go_on(page: Page, house: House) -> None:
    sign_up(page, "Grace")
    run_dry(house, newest(house))
    page.reload()
    send(page, "Hello? [[demo: say Hello.]]")
    expect_state(page, "paused")

    paying = page.context.new_page()
    to_payment(paying)
    choose(paying, "4242")

    expect_state(page, "sent")
    expect(page.locator("#dry .notice")).to_have_count(0)


def test_a_declined_card_can_be_replaced(page: Page, house: House) -> None:
    sign_up(page, "Joan")
    person = newest(house)
    to_payment(page)
    choose(page, "0002")
    expect(page.get_by_role("alert")).to_contain_text("declined")
    assert balance(house, person) == 1_000_000

    choose(page, "3155")
    page.get_by_role("button", name="Confirm the payment").click()
    expect(page.get_by_role("heading", name="$10.00 added")).to_be_visible()
    assert balance(house, person) == 1_000_000 + TEN


def test_who_goes_back_or_closes_the_window_pays_nothing(page: Page, house: House) -> None:
    sign_up(page, "Mary")
    person = newest(house)
    to_payment(page)
    page.get_by_role("link", name="Go back without paying").click()
    expect(page.get_by_role("heading", name="Nothing was charged")).to_be_visible()

    to_payment(page)
    page.goto("/billing")
    expect(page.get_by_text("Not finished").first).to_be_visible()
    assert balance(house, person) == 1_000_000


def test_a_webhook_that_is_late_is_waited_for_and_counts_once(page: Page, house: House) -> None:
    sign_up(page, "Rosa")
    person = newest(house)
    switch(house, delay_seconds=3, copies=3)
    to_payment(page)
    choose(page, "4242")
    expect(page.get_by_text("Waiting for Stripe")).to_be_visible()

    expect(page.get_by_role("heading", name="$10.00 added")).to_be_visible()
    assert balance(house, person) == 1_000_000 + TEN


def test_a_webhook_that_comes_before_the_person_does_is_no_surprise(
    page: Page, house: House
) -> None:
    sign_up(page, "Vera")
    person = newest(house)
    to_payment(page)
    # The way back is cut: the person only returns once everything is told.
    page.route("**/billing/payments/*", lambda route: route.abort())
    page.get_by_role("button", name="Pay $").click(no_wait_after=True)
    wait_for(lambda: balance(house, person) == 1_000_000 + TEN, "the credits")

    page.unroute("**/billing/payments/*")
    page.goto("/billing")
    expect(page.get_by_text("Paid,").first).to_be_visible()
