"""What people do with their mail: verify an address, get the free credit, choose a new password."""

import os
from collections.abc import Callable, Generator
from dataclasses import replace

import pytest
from playwright.sync_api import Page, expect

from embedded import product
from embedded.child import wait_ready
from embedded.web_port import take_port
from tests import factories
from tests.browser.test_journeys import answer, expect_state, send
from tests.house import House
from tests.mailbox import Mailbox

pytestmark = [pytest.mark.engine, pytest.mark.xdist_group("browser")]

NEW = "a whole new sentence"


@pytest.fixture(scope="module")
def verifying_site(house: House) -> Generator[str]:
    """The same product, by a website that asks newcomers to verify their address."""
    listener = take_port(0)
    port = int(listener.getsockname()[1])
    url = f"http://127.0.0.1:{port}"
    settings = {**house.environment, "VERIFY_EMAIL": "true", "PUBLIC_URL": url}
    website = product.web(settings, listener.fileno(), port)
    child = house.stack.keeper.start(replace(website, name="web-mail"))
    wait_ready(child, 60)
    yield url
    listener.close()


@pytest.fixture
def mailbox(house: House) -> Mailbox:
    return Mailbox(house.environment["MAILBOX_URL"])


def sign_up(page: Page, site: str, name: str) -> str:
    """Sign up and introduce oneself; return the address."""
    email = f"{name.lower()}-{os.urandom(4).hex()}@example.org"
    page.goto(f"{site}/signup")
    page.get_by_label("E-mail").fill(email)
    page.locator("input[name=password]").fill(factories.PASSWORD)
    page.locator("form[action*=signup] button[type=submit]").click()
    page.wait_for_url("**/onboarding")
    page.locator("#name").fill(name)
    page.locator("form:has(#name) button[type=submit]").click()
    page.wait_for_url("**/chat")
    return email


def test_a_newcomer_verifies_their_address_gets_the_credit_and_is_answered(
    page: Page, verifying_site: str, mailbox: Mailbox
) -> None:
    email = sign_up(page, verifying_site, "Ada")
    expect(page.locator("#credits")).to_contain_text("$0.00")
    send(page, "Hello? [[demo: say Hello, Ada.]]")
    expect(page.locator("#composer-notice")).to_contain_text("confirm your e-mail address")
    expect(page.locator("#text")).to_have_value("Hello? [[demo: say Hello, Ada.]]")

    with page.expect_popup() as opened:
        page.get_by_role("link", name="Open the mailbox").click()
    box = opened.value
    mailbox.wait_for(email)
    box.reload()
    box.get_by_role("link").filter(has_text=email).click()
    with box.expect_popup() as confirming:
        box.frame_locator("iframe").get_by_role("link", name="Confirm my address").click()
    confirming.value.get_by_role("button", name="Confirm my address").click()
    expect(confirming.value.locator("#credits")).to_contain_text("$1.00")

    # The page that was open all the while notices by itself.
    expect(page.locator("#credits")).to_contain_text("$1.00")
    expect(page.get_by_text("Check your mail")).to_have_count(0)
    expect(page.locator("#text")).to_have_value("Hello? [[demo: say Hello, Ada.]]")
    page.get_by_role("button", name="Send").click()
    expect_state(page, "sent")
    assert "Hello, Ada." in answer(page)


def test_who_forgot_their_password_chooses_a_new_one_and_logs_in(
    open_page: Callable[[], Page], verifying_site: str, mailbox: Mailbox
) -> None:
    phone, page = open_page(), open_page()
    email = sign_up(phone, verifying_site, "Grace")
    page.goto(f"{verifying_site}/login")
    page.get_by_role("link", name="Forgot your password?").click()
    page.get_by_label("E-mail").fill(email)
    page.get_by_role("button", name="Send the link").click()
    expect(page.get_by_role("heading", name="Look into your mail")).to_be_visible()

    page.goto(mailbox.wait_for(email, "Choose a new password").link)
    page.locator("input[name=password]").fill(NEW)
    page.get_by_role("button", name="Save and log in").click()
    page.wait_for_url("**/chat")
    assert mailbox.wait_for(email, "Your password was changed")
    phone.goto(f"{verifying_site}/settings")
    phone.wait_for_url("**/login**")

    phone.get_by_label("E-mail").fill(email)
    phone.locator("input[name=password]").fill(NEW)
    phone.get_by_role("button", name="Log in").click()
    expect(phone.get_by_role("heading", name="Settings", exact=True)).to_be_visible()
