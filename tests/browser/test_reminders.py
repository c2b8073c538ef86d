"""Reminders in a real browser: set by hand, seen live where they fire, readable everywhere."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Page, expect
from sqlalchemy import select

from actions import reminders as firing_action
from models import lists
from models.reminders import reminders
from models.schema.reminders import Reminder, ReminderKind, Repeats
from models.schema.users import User
from tests.browser.site import Site
from tests.models.reminders.making import made, make_due


@pytest.fixture
def ada(site: Site) -> User:
    """Somebody without a conversation."""
    firing_action.wakeups.streams.cache_clear()
    return site.person()


def test_one_is_set_and_comes_live_into_its_conversation(
    site: Site, ada: User, open_browser: Callable[..., BrowserContext], tmp_path: Path
) -> None:
    talk = site.conversation(ada, "Hello", "Hello, Ada.")
    page = open_browser().new_page()
    site.log_in(page, ada, "/reminders")
    page.get_by_label("What about?").fill("Call the dentist")
    page.get_by_label("Day", exact=True).fill("2031-05-05")
    page.get_by_label("Time").fill("08:00")
    page.get_by_role("button", name="Set it").click()
    expect(page.get_by_text("Set for Monday, 5 May 2031 at 08:00")).to_be_visible()
    expect(page.get_by_role("link", name="Call the dentist")).to_be_visible()
    page.goto(f"{site.url}/chat/{talk}")
    expect(page.get_by_text("Hello, Ada.")).to_be_visible()
    with site.database() as db:
        reminder = db.scalars(select(Reminder)).one()
        reminder.conversation_id = talk
        make_due(db, reminder, timedelta(seconds=1))
    assert firing_action.fire_due() == 1
    said = page.get_by_role("article").filter(has_text="Call the dentist")
    expect(said).to_be_visible()
    page.screenshot(path=tmp_path / "conversation.png")
    _fits(page)
    said.get_by_role("button", name="Again in an hour").click()
    expect(page.get_by_text("Set for")).to_be_visible()


@pytest.mark.parametrize("width", [360, 1280])
@pytest.mark.parametrize("look", ["light", "dark"])
def test_the_page_fits_and_works_without_scripts(
    site: Site,
    ada: User,
    open_browser: Callable[..., BrowserContext],
    width: int,
    look: str,
    tmp_path: Path,
) -> None:
    _fill(site, ada)
    context = open_browser(
        viewport={"width": width, "height": 900}, color_scheme=look, java_script_enabled=False
    )
    page = context.new_page()
    site.log_in(page, ada, "/reminders")
    page.screenshot(path=tmp_path / f"reminders-{width}-{look}.png", full_page=True)
    _fits(page)
    for name in ("lists", "help", "help/reminders"):
        page.goto(f"{site.url}/{name}")
        page.screenshot(path=tmp_path / f"{name.replace('/', '-')}-{width}-{look}.png")
        _fits(page)
    page.goto(f"{site.url}/reminders")
    page.get_by_role("button", name="Done: Take the pills").click()
    expect(page.get_by_text(", done")).to_be_visible()
    page.get_by_role("link", name="Water the plants").click()
    page.screenshot(path=tmp_path / f"edit-{width}-{look}.png", full_page=True)
    _fits(page)
    page.get_by_role("button", name="Delete this reminder").click()
    expect(page.get_by_role("link", name="Water the plants")).to_have_count(0)


def _fill(site: Site, user: User) -> None:
    with site.database() as db:
        make_due(db, made(db, user, "Take the pills", repeats=Repeats.DAILY))
        made(db, user, "Water the plants", repeats=Repeats.WEEKLY, weekdays=(0, 3))
        made(db, user, "Ask Grace about " + "the very long plan of the garden " * 5)
        reminders.pause(db, made(db, user, "Pay the rent"))
        made(db, user, "Look for flights", kind=ReminderKind.TASK, tell_only_if="one is cheap")
        lists.add(db, user.id, "shopping", ["Milk", "Tea", "A " + "very long thing " * 9])
        lists.tick_words(db, user.id, "shopping", ["tea"])
    assert firing_action.fire_due() == 1


def _fits(page: Page) -> None:
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
