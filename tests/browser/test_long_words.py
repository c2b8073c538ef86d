"""A long address in what a user wrote makes no page wider than its screen."""

from collections.abc import Callable

import pytest
from playwright.sync_api import BrowserContext

from models import lists
from models.memory import notes
from models.schema.memory import NoteAuthor
from models.schema.users import User
from tests.browser.site import Site
from tests.models.reminders.making import made

ADDRESS = "https://www.example.org/" + "a_very_long_path/" * 8


@pytest.fixture
def ada(site: Site) -> User:
    """Somebody who keeps addresses everywhere."""
    user = site.person()
    with site.database() as db:
        notes.add(db, user.id, f"Recipe: {ADDRESS}", author=NoteAuthor.USER)
        made(db, user, ADDRESS)
        lists.add(db, user.id, "shopping", [ADDRESS])
    return user


@pytest.mark.parametrize("width", [360, 1280])
def test_pages_stay_as_wide_as_the_screen(
    site: Site, ada: User, open_browser: Callable[..., BrowserContext], width: int
) -> None:
    page = open_browser(viewport={"width": width, "height": 900}).new_page()
    site.log_in(page, ada, "/memory")
    for path in ("/memory", "/lists", "/reminders", "/memory?q=recipe"):
        page.goto(f"{site.url}{path}")
        assert page.get_by_text("a_very_long_path").first.is_visible(), path
        assert page.evaluate("document.documentElement.scrollWidth") <= width, path
    for name in ("/memory", "/reminders"):
        page.goto(f"{site.url}{name}")
        with page.expect_navigation():
            page.get_by_role("link", name="a_very_long_path").first.click()
        assert page.evaluate("document.documentElement.scrollWidth") <= width, page.url
