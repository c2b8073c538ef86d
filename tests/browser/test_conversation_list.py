"""The list of conversations in a real browser: search, paging, and the menu of a row."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from playwright.sync_api import BrowserContext, Locator, Page, expect

from models.base import utc_now
from models.chat.conversations import LIST_LENGTH
from models.schema.chat import Conversation
from models.schema.users import User
from tests.browser.site import Site

pytestmark = pytest.mark.xdist_group("browser")

DESKTOP = {"width": 1100, "height": 600}


def talks(site: Site, owner: User, count: int) -> None:
    """So many conversations, the first of them used last."""
    now = utc_now()
    with site.database() as db:
        for number in range(count):
            used = now - timedelta(hours=number)
            title = f"Talk {number:03}"
            db.add(Conversation(user_id=owner.id, title=title, created_at=used, updated_at=used))


@pytest.fixture(params=["phone", "desktop"])
def page(
    request: pytest.FixtureRequest, site: Site, open_browser: Callable[..., BrowserContext]
) -> Page:
    """A new conversation of Ada's, who has 205 others, with the list in sight."""
    ada = site.person()
    talks(site, ada, 205)
    given = {"viewport": DESKTOP} if request.param == "desktop" else {}
    page = open_browser(**given).new_page()
    site.log_in(page, ada, "/chat/new")
    if request.param == "phone":
        page.get_by_role("button", name="Conversations", exact=True).click()
    return page


def rows(page: Page) -> Locator:
    return page.locator(".side-row")


def test_the_oldest_of_many_is_reached_by_showing_more(page: Page) -> None:
    for pages in range(1, 5):
        expect(rows(page)).to_have_count(pages * LIST_LENGTH)
        page.get_by_role("link", name="Show more").click()
    expect(rows(page)).to_have_count(205)
    expect(page.get_by_role("link", name="Show more")).to_have_count(0)
    page.get_by_role("link", name="Talk 204", exact=True).click()
    expect(page.locator("#chat-title")).to_have_text("Talk 204")


def test_a_conversation_is_found_while_its_name_is_typed(page: Page) -> None:
    search = page.get_by_role("searchbox")
    search.press_sequentially("talk 20")
    expect(rows(page)).to_have_count(5)
    search.fill("nothing of the kind")
    expect(page.get_by_text("No conversation has “nothing of the kind”")).to_be_visible()
    search.fill("")
    expect(rows(page)).to_have_count(LIST_LENGTH)


def test_the_menu_of_any_row_is_wholly_on_the_screen_and_works(page: Page) -> None:
    size = page.viewport_size
    assert size
    menu = page.locator("#row-menu")
    for at in (0, LIST_LENGTH - 1):
        row = rows(page).nth(at)
        row.scroll_into_view_if_needed()
        row.hover()
        row.get_by_role("button").click()
        box = menu.bounding_box()
        assert box
        assert box["x"] >= 0
        assert box["y"] >= 0
        assert box["x"] + box["width"] <= size["width"]
        assert box["y"] + box["height"] <= size["height"]
        expect(menu.get_by_label("Name")).to_be_focused()
        menu.get_by_label("Name").fill(f"Renamed {at}")
        menu.get_by_role("button", name="Rename").click()
        expect(row).to_contain_text(f"Renamed {at}")
        expect(menu).to_be_hidden()


def test_a_conversation_is_deleted_from_its_row(page: Page) -> None:
    row = rows(page).nth(3)
    row.hover()
    row.get_by_role("button").focus()
    page.keyboard.press("Space")
    menu = page.locator("#row-menu")
    expect(menu.get_by_label("Name")).to_have_value("Talk 003")
    menu.get_by_text("Delete…").click()
    menu.get_by_role("button", name="Delete it").click()
    page.wait_for_url("**/chat/0*")
    expect(page.get_by_role("link", name="Talk 003", exact=True)).to_have_count(0)
    expect(page.locator(".side-row a").filter(has_text="Talk 002")).to_have_count(1)


def test_without_scripts_the_list_is_searched_and_paged(
    site: Site, open_browser: Callable[..., BrowserContext]
) -> None:
    ada = site.person()
    talks(site, ada, LIST_LENGTH + 5)
    page = open_browser(viewport=DESKTOP, java_script_enabled=False).new_page()
    site.log_in(page, ada, "/chat/new")
    page.get_by_role("searchbox").fill("talk")
    page.get_by_role("searchbox").press("Enter")
    page.wait_for_url("**/conversations?*")
    page.get_by_role("link", name="Show more").click()
    expect(rows(page)).to_have_count(5)
    page.get_by_role("button", name="Rename or delete: Talk 054").click()
    page.get_by_label("Name").fill("Found")
    page.get_by_role("button", name="Rename").click()
    expect(page.locator("#chat-title")).to_have_text("Found")
