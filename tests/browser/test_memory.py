"""Memory in a real browser: noted, found, undone; a message deleted; a conversation left out."""

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from models.chat import conversations
from models.memory import notes
from models.schema.chat import Conversation
from models.schema.memory import MemoryNote, NoteAuthor
from models.schema.users import User
from tests.browser.site import Site


@pytest.fixture
def ada(site: Site) -> User:
    return site.person()


def test_a_note_is_made_found_deleted_and_brought_back(
    site: Site, ada: User, open_browser: Callable[..., BrowserContext]
) -> None:
    page = open_browser().new_page()
    site.log_in(page, ada, "/memory")
    page.get_by_label("What should your assistant know?").fill("I am allergic to walnuts")
    page.get_by_role("button", name="Note it").click()
    page.get_by_label("Search your notes").fill("walnut allergies")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="What was found")).to_be_visible()
    page.get_by_role("button", name="Delete: I am allergic to walnuts").click()
    expect(page.get_by_role("link", name="I am allergic to walnuts")).to_have_count(0)
    page.get_by_role("button", name="Undo: Deleted #1").click()
    expect(page.get_by_role("link", name="I am allergic to walnuts").first).to_be_visible()


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
    site.log_in(page, ada, "/memory")
    page.screenshot(path=tmp_path / f"memory-{width}-{look}.png", full_page=True)
    _fits(page)
    page.get_by_role("link", name="Has a cat called Byron", exact=True).click()
    page.screenshot(path=tmp_path / f"note-{width}-{look}.png", full_page=True)
    _fits(page)
    page.get_by_role("button", name="Delete for good").click()
    expect(page.get_by_text("Byron")).to_have_count(0)


def test_a_message_is_deleted_and_a_conversation_is_left_out(
    site: Site, ada: User, open_browser: Callable[..., BrowserContext], tmp_path: Path
) -> None:
    talk = site.conversation(ada, "My secret", "I see.")
    context = open_browser(viewport={"width": 360, "height": 800})
    page, other = context.new_page(), context.new_page()
    site.log_in(page, ada, f"/chat/{talk}")
    other.goto(f"{site.url}/chat/{talk}")
    expect(other.get_by_text("I see.")).to_be_visible()
    page.screenshot(path=tmp_path / "chat-360.png")
    page.get_by_role("link", name="Delete this message").click()
    page.screenshot(path=tmp_path / "delete-360.png")
    page.get_by_role("button", name="Delete it").click()
    for one in (page, other):
        expect(one.get_by_text("I see.")).to_have_count(0)
    page.goto(f"{site.url}/chat/{talk}/edit")
    page.screenshot(path=tmp_path / "edit-360.png")
    page.get_by_role("button", name="Do not remember").click()
    expect(page.get_by_text("Not remembered")).to_be_visible()
    page.screenshot(path=tmp_path / "left-out-360.png")
    _fits(page)
    with site.database() as db:
        assert not db.get_one(Conversation, talk).is_remembered


def _fill(site: Site, user: User) -> None:
    with site.database() as db:
        talk = conversations.start(db, user.id)
        conversations.rename(talk, "Pets and plants")

        def noted(words: str) -> MemoryNote:
            by = NoteAuthor.ASSISTANT
            return notes.add(db, user.id, words, author=by, conversation_id=talk.id)

        noted("Has a cat called Byron")
        tea = notes.add(db, user.id, "Likes tea", author=NoteAuthor.USER)
        notes.edit(db, tea, "Likes green tea, never after four", author=NoteAuthor.USER)
        noted("Is allergic to walnuts and " + "other nuts, " * 20)
        notes.remove(db, noted("Lives in Leeds"), author=NoteAuthor.ASSISTANT)


def _fits(page: Page) -> None:
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
