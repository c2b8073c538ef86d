"""What people do with their mail: verify an address, get the free credit, choose a new password."""

import os
import re
from collections.abc import Callable, Generator
from dataclasses import replace

import pytest
from playwright.sync_api import Page, expect

from embedded import product
from embedded.process import wait_ready
from embedded.web_port import take_port
from tests import factories
from tests.browser.conftest import PHONE
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
    child = house.stack.supervisor.start(replace(website, name="web-mail"))
    wait_ready(child, 60)
    yield url
    listener.close()


@pytest.fixture(scope="module")
def site_by_mail(house: House) -> Generator[str]:
    """The same product, by a website on which accounts begin with a mail, so often."""
    listener = take_port(0)
    port = int(listener.getsockname()[1])
    url = f"http://127.0.0.1:{port}"
    settings = {
        **house.environment,
        "VERIFY_EMAIL": "true",
        "SIGN_UP_BY_MAIL": "true",
        "MAIL_RATE_LIMIT": "3 per 10 minutes",
        "PUBLIC_URL": url,
    }
    website = product.web(settings, listener.fileno(), port)
    child = house.stack.supervisor.start(replace(website, name="web-by-mail"))
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
    # In whichever tab they go on, what they wrote is there.
    expect(confirming.value.locator("#text")).to_have_value("Hello? [[demo: say Hello, Ada.]]")

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


def test_a_newcomer_opens_the_mail_on_another_device_and_the_page_that_waits_goes_on(
    open_page: Callable[[], Page], site_by_mail: str, mailbox: Mailbox
) -> None:
    page, phone = open_page(), open_page()
    email = f"grace-{os.urandom(4).hex()}@example.org"
    page.goto(f"{site_by_mail}/signup")
    page.get_by_label("E-mail").fill(email)
    page.locator("input[name=password]").fill("password")
    page.locator("form[action*=signup] button[type=submit]").click()
    expect(page.get_by_role("alert")).to_contain_text("Others would guess this password")
    page.locator("input[name=password]").fill(factories.PASSWORD)
    page.locator("form[action*=signup] button[type=submit]").click()
    page.wait_for_url("**/onboarding")
    page.locator("#name").fill("Grace")
    page.locator("form:has(#name) button[type=submit]").click()
    expect(page.get_by_role("heading", name="Check your inbox")).to_be_visible()

    phone.goto(mailbox.wait_for(email, "Confirm").link)
    phone.locator("input[name=password]").fill(NEW)
    phone.get_by_role("button", name="Confirm my address").click()
    expect(phone.get_by_role("alert")).to_contain_text("This is not the password that was chosen")
    phone.locator("input[name=password]").fill(factories.PASSWORD)
    phone.get_by_role("button", name="Confirm my address").click()
    phone.wait_for_url("**/chat")
    page.wait_for_url("**/chat")
    expect(page.get_by_text("your address is confirmed")).to_be_visible()
    expect(page.locator("#credits")).to_contain_text("$1.00")


def test_who_reads_the_mail_of_somebody_elses_sign_up_chooses_their_own_password(
    open_page: Callable[[], Page], site_by_mail: str, mailbox: Mailbox
) -> None:
    stranger, owner = open_page(), open_page()
    email = f"bob-{os.urandom(4).hex()}@example.org"
    stranger.goto(f"{site_by_mail}/signup")
    stranger.get_by_label("E-mail").fill(email)
    stranger.locator("input[name=password]").fill(factories.PASSWORD)
    stranger.locator("form[action*=signup] button[type=submit]").click()
    stranger.wait_for_url("**/onboarding")
    stranger.locator("#name").fill("Mallory")
    stranger.locator("form:has(#name) button[type=submit]").click()

    owner.goto(mailbox.wait_for(email, "Confirm").link)
    owner.get_by_text("Choose your own password").click()
    owner.locator("input[name=new-password]").fill(NEW)
    owner.get_by_role("button", name="Save and log in").click()
    owner.wait_for_url("**/onboarding")
    expect(owner.locator("#name")).to_have_value("")
    with stranger.expect_response("**/signup/standing") as asked:
        pass
    assert asked.value.status == 204
    expect(stranger.get_by_role("heading", name="Check your inbox")).to_be_visible()


def test_mail_is_sent_again_where_the_button_is_and_it_counts_down(
    page: Page, site_by_mail: str, mailbox: Mailbox
) -> None:
    email = f"ada-{os.urandom(4).hex()}@example.org"
    page.goto(f"{site_by_mail}/signup")
    page.get_by_label("E-mail").fill(email)
    page.locator("input[name=password]").fill(factories.PASSWORD)
    page.locator("form[action*=signup] button[type=submit]").click()
    page.wait_for_url("**/onboarding")
    page.locator("#name").fill("Ada")
    page.locator("form:has(#name) button[type=submit]").click()

    again = page.locator("#mail-again")
    page.clock.install()
    again.get_by_role("button", name="Mail it again").click()
    expect(again.get_by_role("status")).to_have_text(f"Sent again, to {email}.")
    expect(again.get_by_role("status")).to_be_focused()
    expect(again.get_by_role("button")).to_be_disabled()
    expect(again.get_by_role("button")).to_have_text(re.compile(r"Mail it again \(\d+ s\)"))
    page.clock.run_for(61_000)
    expect(again.get_by_role("button")).to_be_enabled()
    expect(again.get_by_role("button")).to_have_text("Mail it again")
    again.get_by_role("button").click()
    expect(again.get_by_role("button")).to_have_text(re.compile(r"\(\d+ min\)"))

    # A page that was loaded anew knows of nothing, and is told at the button.
    page.reload()
    again.get_by_role("button").click()
    expect(again.get_by_role("status")).to_contain_text("You can have it sent again in")
    expect(again.get_by_role("button")).to_be_disabled()
    expect(page.get_by_role("heading", name="Check your inbox")).to_be_visible()
    assert len(mailbox.mails(email)) >= 2


def test_in_the_chat_mail_is_sent_again_where_the_button_is(
    page: Page, verifying_site: str, mailbox: Mailbox
) -> None:
    email = sign_up(page, verifying_site, "Grace")
    mailbox.wait_for(email)
    page.locator("#text").fill("Half a thought")
    again = page.locator("#mail-again")
    again.get_by_role("button", name="Mail it again").click()
    expect(again.get_by_role("status")).to_have_text(f"Sent again, to {email}.")
    expect(page.locator("#text")).to_have_value("Half a thought")
    expect(page.locator("#notices")).to_be_empty()


def test_whoever_knew_the_password_does_not_keep_the_account(
    open_page: Callable[[], Page], verifying_site: str, mailbox: Mailbox
) -> None:
    thief, owner = open_page(), open_page()
    email = sign_up(thief, verifying_site, "Ada")
    thief.goto(mailbox.wait_for(email, "Confirm").link)
    thief.get_by_role("button", name="Confirm my address").click()
    thief.goto(f"{verifying_site}/settings#address")
    other = f"thief{'f' * 40}{os.urandom(4).hex()}@example.org"
    thief.set_viewport_size(PHONE)
    section = thief.locator("#address")
    section.get_by_label("New address").fill(other)
    section.locator("input[name=address-password]").fill(factories.PASSWORD)
    section.get_by_role("button", name="Send the link").click()
    toast = thief.locator("#notices .notice")
    expect(toast).to_contain_text(other)
    assert toast.evaluate(
        "toast => [toast, ...toast.children].every(it => "
        "it.getBoundingClientRect().right <= innerWidth && "
        "it.scrollWidth <= it.clientWidth + 1)"
    )
    thief.goto(mailbox.wait_for(other, "new e-mail address").link)
    thief.get_by_role("button", name="Use this address").click()
    thief.wait_for_url("**/chat")

    owner.goto(mailbox.wait_for(email, "A new e-mail address").link)
    owner.get_by_role("button", name="Undo it").click()
    owner.locator("input[name=password]").fill(NEW)
    owner.get_by_role("button", name="Save and log in").click()
    owner.wait_for_url("**/chat")
    owner.goto(f"{verifying_site}/settings")
    expect(owner.locator("#address")).to_contain_text(email)
    thief.goto(f"{verifying_site}/settings")
    thief.wait_for_url("**/login**")
