"""What people do, from signing up to being remembered, in a real browser on a phone."""

import os
import re
import struct
import zlib
from collections.abc import Callable
from pathlib import Path
from zipfile import ZipFile

import pytest
from playwright.sync_api import Page, Route, expect
from sqlalchemy import func, update

from models.schema.reminders import Reminder
from tests import factories
from tests.house import House, wait_for

pytestmark = [pytest.mark.engine, pytest.mark.xdist_group("browser")]

SLOW = "[[demo: words 60]] [[demo: slow 100ms]]"


def sign_up(page: Page, name: str) -> None:
    """From the landing page into the chat."""
    page.goto("/")
    page.locator('a[href="/signup"]:visible').first.click()
    page.get_by_label("E-mail").fill(f"{name.lower()}-{os.urandom(4).hex()}@example.org")
    page.locator("input[name=password]").fill(factories.PASSWORD)
    page.locator("form[action*=signup] button[type=submit]").click()
    page.wait_for_url("**/onboarding")
    page.locator("#name").fill(name)
    page.locator("#needs").fill("Learning the cello")
    page.locator("form:has(#name) button[type=submit]").click()
    page.wait_for_url("**/chat")


def send(page: Page, words: str) -> None:
    page.locator("#text").fill(words)
    page.get_by_role("button", name="Send").click()


def expect_state(page: Page, state: str) -> None:
    expect(page.locator("article.run").last).to_have_attribute("data-state", state, timeout=60_000)


def answer(page: Page) -> str:
    return page.locator("article.run").last.inner_text()


def shown_words(page: Page) -> list[str]:
    """The words of the last answer as far as they are on the screen."""
    parts = page.locator("article.run").last.locator("[data-blocks], [data-tail], [data-answer]")
    return " ".join(parts.all_inner_texts()).split()


def test_a_newcomer_is_answered_word_by_word_and_remembered(page: Page, house: House) -> None:
    sign_up(page, "Ada")
    send(page, f"Good day! My cat is called Whiskers-42. {SLOW}")

    expect_state(page, "writing")
    early = len(shown_words(page))
    wait_for(lambda: len(shown_words(page)) > early, "more words to appear")
    assert len(shown_words(page)) < 60
    expect_state(page, "sent")
    assert len(shown_words(page)) == 60
    expect(page.locator("[data-cost]").last).to_contain_text("$")

    page.get_by_role("button", name="Conversations").click()
    page.get_by_role("link", name="New conversation").click()
    send(page, "What do you know by now?")
    expect_state(page, "sent")
    request = str(house.asked_with("What do you know by now?")[-1]["body"])
    for known in ("Whiskers-42", "Ada", "Learning the cello", "America/New_York"):
        assert known in request


def test_reloading_in_mid_answer_misses_and_doubles_nothing(page: Page) -> None:
    sign_up(page, "Grace")
    send(page, f"A long one please. {SLOW}")
    expect_state(page, "writing")
    wait_for(lambda: len(shown_words(page)) > 8, "some words")

    page.reload()
    seen = shown_words(page)
    assert len(seen) > 4
    expect_state(page, "sent")
    whole = shown_words(page)
    assert len(whole) == 60
    assert whole[: len(seen) - 1] == seen[:-1]


def test_stopping_keeps_what_was_written_and_asking_again_works(page: Page) -> None:
    sign_up(page, "Joan")
    send(page, "Count. [[demo: words 600]] [[demo: slow 100ms]]")
    expect_state(page, "writing")
    wait_for(lambda: len(shown_words(page)) > 3, "some words")

    page.get_by_role("button", name="Stop").click()
    expect_state(page, "stopped")
    kept = len(shown_words(page))
    assert 3 < kept < 600

    send(page, "Just say hello. [[demo: say Hello, it is me.]]")
    expect_state(page, "sent")
    assert "Hello, it is me." in answer(page)


def test_an_image_is_shown_and_reaches_the_model(page: Page, house: House) -> None:
    sign_up(page, "Mary")
    page.locator("#files").set_input_files(
        {"name": "red.png", "mimeType": "image/png", "buffer": _png()}
    )
    send(page, "What is in this picture?")

    expect_state(page, "sent")
    picture = page.locator(".thumbnail img")
    expect(picture).to_be_visible()
    assert picture.evaluate("image => image.complete && image.naturalWidth") == 8
    assert "data:image/png;base64," in str(house.asked_with("What is in this picture?")[-1]["body"])


def test_two_browsers_never_see_each_others_data(open_page: Callable[[], Page]) -> None:
    adas, eves = open_page(), open_page()
    sign_up(adas, "Ada")
    sign_up(eves, "Eve")
    send(adas, "My secret is quince jam. [[demo: say Noted: quince jam.]]")
    expect_state(adas, "sent")
    address = adas.url

    refused = eves.goto(address)
    assert refused is not None
    assert refused.status == 404
    assert "quince" not in eves.content()
    live = eves.request.get(f"{address}/events")
    assert live.status == 404
    eves.goto("/chat")
    assert "quince" not in eves.content()


def test_the_composer_keeps_what_could_not_be_sent(page: Page) -> None:
    sign_up(page, "Rosa")
    page.locator("#files").set_input_files(
        {"name": "tool.exe", "mimeType": "application/octet-stream", "buffer": b"MZ\x00\x01" * 99}
    )
    send(page, "Please read this.")

    expect(page.locator("#composer-notice")).to_contain_text("tool.exe")
    expect(page.locator("#text")).to_have_value("Please read this.")


def test_what_is_sent_again_as_its_answer_got_lost_is_said_once(page: Page) -> None:
    sign_up(page, "Vera")
    send(page, "The first. [[demo: say One.]]")
    expect_state(page, "sent")
    said = "The second. [[demo: say Two.]]"
    page.route("**/messages", _lose_the_answer)
    send(page, said)
    expect(page.locator("[data-exchange]")).to_have_count(2)
    expect(page.locator("#text")).to_have_value(said)

    page.unroute("**/messages")
    page.get_by_role("button", name="Send").click()
    expect(page.locator("#text")).to_have_value("")
    expect(page.locator("[data-exchange]")).to_have_count(2)
    send(page, said)
    expect(page.locator("[data-exchange]")).to_have_count(3)


def _lose_the_answer(route: Route) -> None:
    """Let the site have the request, and the browser no answer."""
    route.fetch()
    route.abort()


def _png() -> bytes:
    """A red square of 8 by 8 pixels."""

    def _chunk(kind: bytes, data: bytes) -> bytes:
        checked = kind + data
        return struct.pack(">I", len(data)) + checked + struct.pack(">I", zlib.crc32(checked))

    header = struct.pack(">IIBBBBB", 8, 8, 8, 2, 0, 0, 0)
    rows = (b"\0" + b"\xff\0\0" * 8) * 8
    body = _chunk(b"IHDR", header) + _chunk(b"IDAT", zlib.compress(rows)) + _chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + body


def test_a_newcomer_sees_a_reminder_fire(page: Page, house: House) -> None:
    """Asked for in plain words, told by the clock: here it does not wait for the two minutes."""
    sign_up(page, "Hedy")
    send(page, "Remind me in 2 minutes to stretch.")
    expect_state(page, "sent")
    expect(page.locator("article.run").last).to_contain_text("Set: #1 “stretch”")
    with house.database() as db, db.begin():
        soon = {"due_at": func.now(), "scheduled_at": func.now()}
        db.execute(update(Reminder).where(Reminder.words == "stretch").values(**soon))
    said = page.locator("article.reminder-said")
    expect(said).to_contain_text("stretch")
    send(page, "What have I spent?")
    expect(page.locator("article.run").last).to_contain_text("Spent today", timeout=60_000)


def test_a_file_is_made_found_again_and_taken_along(page: Page, tmp_path: Path) -> None:
    sign_up(page, "Ada")
    send(page, "Write me a file with eggs, milk and bread")
    expect_state(page, "sent")
    card = page.get_by_role("list", name="Files for you")
    with page.expect_download() as downloading:
        card.get_by_role("link", name="Download eggs-milk-and-bread.md").click()
    assert "- [ ] milk" in Path(downloading.value.path()).read_text()

    page.goto("/files")
    page.get_by_role("link", name="Eggs, milk and bread").first.click()
    expect(page.get_by_text("- [ ] milk")).to_be_visible()

    page.goto("/settings")
    page.get_by_role("button", name="Export everything").click()
    with page.expect_download() as downloading:
        page.get_by_role("link", name="Download the archive").click(timeout=60_000)
    archive = tmp_path / "mine.zip"
    downloading.value.save_as(archive)
    with ZipFile(archive) as whole:
        assert whole.read("workspace/files/eggs-milk-and-bread.md").startswith(b"# Eggs")
        assert b"Ada" in whole.read("workspace/USER.md")

    page.get_by_label("Archive, at most").set_input_files(archive)
    page.get_by_role("button", name="Import").click()
    # The conversation is still there, and does not come twice.
    imported = page.get_by_text(re.compile(r"Imported: .*files?\."))
    expect(imported).to_be_visible()
    expect(imported).not_to_contain_text("conversation")
