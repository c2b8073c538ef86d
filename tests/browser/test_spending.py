"""What people do about what it costs, in a real browser on a phone."""

import pytest
from playwright.sync_api import Page, expect

from tests.browser.test_journeys import expect_state, send, sign_up
from tests.house import House

pytestmark = [pytest.mark.engine, pytest.mark.xdist_group("browser")]


def set_limit(page: Page, name: str, dollars: str) -> None:
    """Set one of the limits, through the menu, and come back to the chat."""
    page.get_by_label("Your account").click()
    page.get_by_role("link", name="Limits").click()
    page.get_by_label(f"For a {name}").fill(dollars)
    page.get_by_role("button", name="Save").click()
    expect(page.locator("#notices")).to_contain_text("Your limits hold")
    page.goto("/chat/new")


def test_an_expensive_message_is_asked_about_and_its_receipt_is_read(page: Page) -> None:
    sign_up(page, "Ada")
    set_limit(page, "message", "0.01")
    page.locator("#files").set_input_files(
        {"name": "list.csv", "mimeType": "text/csv", "buffer": b"bean,1\npea,2\n"}
    )
    send(page, "Hello. [[demo: say Hello to you.]]")

    question = page.locator("#composer-notice")
    expect(question).to_contain_text("This may cost about")
    expect(page.locator("#text")).to_have_value("Hello. [[demo: say Hello to you.]]")
    expect(page.locator("#chosen-files")).to_contain_text("list.csv")
    question.get_by_role("button", name="Send it").click()
    expect_state(page, "sent")
    expect(page.locator(".sent-files")).to_contain_text("list.csv")

    page.locator("[data-cost]").last.click()
    page.wait_for_url("**/receipt")
    expect(page.get_by_role("heading", name="Receipt")).to_be_visible()
    expect(page.locator("main")).to_contain_text("Held beforehand")
    expect(page.locator("main")).to_contain_text("1 call to a model")


def test_a_message_at_its_limit_keeps_its_words_and_goes_on(page: Page, house: House) -> None:
    sign_up(page, "Grace")
    set_limit(page, "message", "0.03")
    # The demo model says that it used up what the meter let it.
    send(page, "Count. [[demo: words 30]] [[demo: usage input=100 output=8192]]")

    run = page.locator("article.run").last
    expect_state(page, "failed")
    expect(run).to_contain_text("reached the most that it may cost")
    kept = page.locator("[data-answer]").inner_text()
    assert len(kept.split()) == 30
    run.get_by_role("button", name="Go on (up to $0.06 more)").click()
    expect(page.locator("article.run")).to_have_count(2)
    expect_state(page, "sent")
    assert page.locator("[data-answer]").first.inner_text() == kept
    assert house.asked_with("Go on from there without repeating it.")
