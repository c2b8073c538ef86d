"""Phones with their keyboard open, and pages at 400 %: the conversation has room, Send is there."""

from collections.abc import Callable

import pytest
from playwright.sync_api import BrowserContext, Locator, Page, expect

from models.ledger import alerts, limits
from models.ledger.limits import Limits
from models.schema.users import User
from tests import factories
from tests.browser.site import Site

pytestmark = pytest.mark.xdist_group("browser")

# Width and height, and how much of that at least is the conversation's.
SCREENS = [(360, 380, 180), (360, 340, 150), (320, 256, 90)]


@pytest.fixture
def browser(open_browser: Callable[..., BrowserContext]) -> BrowserContext:
    return open_browser()


def limited(site: Site, ada: User) -> None:
    """Ada has spent half of her day's limit, and then all of her credits."""
    with site.database() as db:
        limits.choose(db, ada.id, Limits(day_micros=2_000_000))
        job = factories.running(db, ada)
        factories.charge(db, job, 1_000_000)
        factories.answer(db, job)
        assert alerts.raise_due(db, ada.id)


def height(of: Locator) -> float:
    box = of.bounding_box()
    return box["height"] if box else 0


@pytest.mark.parametrize(("width", "low", "room"), SCREENS)
def test_with_the_keyboard_open_the_conversation_has_room(
    site: Site, browser: BrowserContext, width: int, low: int, room: int
) -> None:
    ada = site.person()
    talk = site.conversation(ada, "Tell me a lot", "Word after word. " * 60)
    limited(site, ada)
    page = browser.new_page()
    page.set_viewport_size({"width": width, "height": 640})
    site.log_in(page, ada, f"/chat/{talk}")
    expect(page.locator("#chat-notices")).to_be_visible()
    page.locator("#text").click()
    page.set_viewport_size({"width": width, "height": low})
    assert_usable(page, room)
    expect(page.locator("#chat-notices")).to_be_hidden()
    page.locator("#text").evaluate("area => area.blur()")
    assert_usable(page, room)
    # A line each, that scrolls with the messages.
    expect(page.locator("#chat-notices .notice")).to_have_count(2)
    for line in page.locator("#chat-notices .notice").all():
        assert height(line) <= 50
        assert line.evaluate("line => line.getBoundingClientRect().right") <= width
        assert line.evaluate("line => line.closest('#scroll') !== null")


@pytest.mark.parametrize(("width", "low", "room"), SCREENS)
def test_a_newcomer_has_room_to_write_before_their_address_is_verified(
    site: Site,
    browser: BrowserContext,
    adjust: Callable[..., None],
    width: int,
    low: int,
    room: int,
) -> None:
    adjust(VERIFY_EMAIL="true")
    page = browser.new_page()
    page.set_viewport_size({"width": width, "height": low})
    site.log_in(page, site.person(), "/chat/new")
    assert_usable(page, room)
    line = page.locator("#verification .notice")
    page.locator("#text").evaluate("area => area.blur()")
    assert height(line) <= 50
    line.locator("summary").click()
    expect(line.get_by_role("button", name="Mail it again")).to_be_visible()
    assert_usable(page, room)


def assert_usable(page: Page, room: int) -> None:
    """The conversation has so many pixels, and Send is wholly on the screen."""
    size = page.viewport_size
    assert size
    assert height(page.locator("#scroll")) >= room
    for control in (page.get_by_role("button", name="Send"), page.locator("#text")):
        box = control.bounding_box()
        assert box
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= size["width"]
        assert box["y"] + box["height"] <= size["height"]
    assert page.evaluate("document.documentElement.scrollWidth") <= size["width"]
