"""Continuing with Google, in a browser that follows forms only where the site's policy lets it."""

from collections.abc import Callable

import pytest
import sqlalchemy as sa
from playwright.sync_api import BrowserContext, Page, expect

from models.base import utc_now
from models.people import users
from models.schema.emails import Email
from models.schema.identities import Identity
from models.schema.users import User
from tests import factories
from tests.browser.site import Site
from tests.embedded.fake_google.served import ServedGoogle
from tests.mailbox import LINK

pytestmark = pytest.mark.xdist_group("browser")

GRACE = "grace.hopper@gmail.com"
CONTINUE = "Continue with Google"


@pytest.fixture
def at(site: Site, google: ServedGoogle, adjust: Callable[..., None]) -> Site:
    """The site, which Google sends browsers back to."""
    assert google
    adjust(PUBLIC_URL=site.url, VERIFY_EMAIL="true", SIGN_UP_BY_MAIL="true")
    return site


@pytest.fixture
def page(open_browser: Callable[..., BrowserContext], at: Site) -> Page:
    return open_browser(base_url=at.url).new_page()


def choose(page: Page, email: str) -> None:
    """Choose an account on Google's page."""
    expect(page.get_by_role("heading", name="Choose an account")).to_be_visible()
    known = page.get_by_role("button", name=email)
    if known.count():
        known.click()
        return
    page.get_by_label("Use another address").fill(email)
    page.get_by_role("button", name="Continue").click()


def known_person(site: Site, email: str = "ada@example.org") -> User:
    with site.database() as db:
        ada = factories.user(db, email, name="Ada")
        ada.email_verified_at = utc_now()
    return ada


def has_google(site: Site, email: str) -> bool:
    with site.database() as db:
        found = sa.select(Identity.id).where(Identity.user_id == users.find_id(db, email))
        return db.scalar(found) is not None


def test_a_new_person_goes_from_google_to_the_chat(page: Page, at: Site) -> None:
    page.goto("/signup")
    page.get_by_role("button", name=CONTINUE).click()
    choose(page, GRACE)
    expect(page.get_by_role("heading", name="Introduce yourself")).to_be_visible()
    expect(page.get_by_text("$1.00 of credit is yours")).to_be_visible()
    page.locator("#name").fill("Grace")
    page.get_by_role("button", name="Start talking").click()
    page.wait_for_url("**/chat")

    page.goto("/logout")
    page.get_by_role("main").get_by_role("button", name="Log out").click()
    page.goto("/login?next=/usage")
    page.get_by_role("button", name=CONTINUE).click()
    choose(page, GRACE)
    page.wait_for_url("**/usage")


def test_a_known_address_is_connected_by_its_password(page: Page, at: Site) -> None:
    ada = known_person(at)
    page.goto("/login")
    page.get_by_role("button", name=CONTINUE).click()
    choose(page, ada.email)
    expect(page.get_by_role("heading", name="You have an account")).to_be_visible()
    page.locator("input[name=password]").fill("guessed")
    page.get_by_role("button", name="Connect and log in").click()
    expect(page.get_by_role("alert")).to_contain_text("not your present password")
    assert not has_google(at, ada.email)
    page.locator("input[name=password]").fill(factories.PASSWORD)
    page.get_by_role("button", name="Connect and log in").click()
    page.wait_for_url("**/chat")
    expect(page.get_by_text("Google is connected")).to_be_visible()
    assert has_google(at, ada.email)


def test_a_known_address_is_connected_by_a_mailed_link(page: Page, at: Site) -> None:
    ada = known_person(at)
    page.goto("/signup")
    page.get_by_role("button", name=CONTINUE).click()
    choose(page, ada.email)
    page.get_by_role("button", name="Send me a link").click()
    expect(page.get_by_role("heading", name="Look into your mail")).to_be_visible()
    with at.database() as db:
        text = db.scalars(sa.select(Email.text_body).where(Email.recipient == ada.email)).one()
    link = LINK.search(text)
    assert link
    page.goto(link[0])
    page.get_by_role("button", name="Connect and log in").click()
    page.wait_for_url("**/chat")
    assert has_google(at, ada.email)


def test_who_cancels_at_google_is_back_on_the_page_of_before(page: Page, at: Site) -> None:
    for path, heading in (("/signup", "Meet your assistant"), ("/login", "Welcome back")):
        page.goto(path)
        page.get_by_role("button", name=CONTINUE).click()
        page.get_by_role("button", name="Cancel").click()
        expect(page.get_by_role("heading", name=heading)).to_be_visible()
        expect(page.get_by_role("alert")).to_have_count(0)


def test_google_is_connected_and_disconnected_in_the_settings(page: Page, at: Site) -> None:
    ada = known_person(at)
    at.log_in(page, ada, "/settings")
    section = page.locator("#google")
    section.get_by_label("Your password").fill(factories.PASSWORD)
    section.get_by_role("button", name="Connect Google").click()
    choose(page, GRACE)
    page.wait_for_url("**/settings#google")
    expect(section).to_contain_text(GRACE)
    section.get_by_role("button", name="Disconnect Google").click()
    expect(section.get_by_role("button", name="Connect Google")).to_be_visible()
    assert not has_google(at, ada.email)


def test_the_last_way_in_is_disconnected_once_there_is_a_password(page: Page, at: Site) -> None:
    page.goto("/signup")
    page.get_by_role("button", name=CONTINUE).click()
    choose(page, GRACE)
    page.locator("#name").fill("Grace")
    page.get_by_role("button", name="Start talking").click()
    page.wait_for_url("**/chat")
    page.goto("/settings")
    section = page.locator("#google")
    expect(section.get_by_role("button")).to_have_count(0)
    section.get_by_role("link", name="choose a password").click()
    page.locator("input[name=new-password]").fill("a whole new sentence")
    page.get_by_role("button", name="Choose a password").click()
    section.get_by_role("button", name="Disconnect Google").click()
    expect(section.get_by_role("button", name="Connect Google")).to_be_visible()
