"""What an answer was made from, in a real browser: links that fit a phone, and nothing loaded."""

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, expect
from sqlalchemy import select

from models.chat import sources
from models.chat.sources import Page as Found
from models.schema.jobs import Job
from tests.browser.site import Site

PAGES = (
    Found("http://ferries.example/timetable", "Ferry timetable of Port Alder"),
    Found("https://www.gull-island.example/visit?a=" + "x" * 300, "A title without end " * 9),
    Found("http://heat-pumps.example/compared", "Three heat pumps compared"),
)


@pytest.mark.parametrize("width", [360, 1280])
@pytest.mark.parametrize("look", ["light", "dark"])
def test_sources_are_links_that_fit(
    site: Site,
    open_browser: Callable[..., BrowserContext],
    width: int,
    look: str,
    tmp_path: Path,
) -> None:
    ada = site.person()
    talk = site.conversation(ada, "When does the ferry sail?", "At 07:40 [1].")
    with site.database() as db:
        job = db.scalars(select(Job)).one()
        sources.note(db, job, PAGES, is_read=True)
    page = open_browser(viewport={"width": width, "height": 800}, color_scheme=look).new_page()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    site.log_in(page, ada, f"/chat/{talk}")
    shown = page.get_by_role("region", name="Sources")
    links = shown.get_by_role("link")
    expect(links).to_have_count(3)
    expect(links.first).to_have_attribute("href", PAGES[0].url)
    expect(links.first).to_have_attribute("rel", "noopener noreferrer nofollow")
    box = links.first.bounding_box()
    assert box
    assert box["height"] >= 44
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert [url for url in asked if not url.startswith((site.url, "data:"))] == []
    page.screenshot(path=tmp_path / "sources.png")


@pytest.mark.parametrize("width", [360, 1280])
def test_research_is_asked_for_by_a_switch_and_begins_at_a_price(
    site: Site,
    open_browser: Callable[..., BrowserContext],
    adjust: Callable[..., None],
    width: int,
    tmp_path: Path,
) -> None:
    adjust(SEARXNG_BASE_URL="http://127.0.0.1:9")
    ada = site.person()
    page = open_browser(viewport={"width": width, "height": 800}).new_page()
    site.log_in(page, ada, "/chat/new")
    page.get_by_role("textbox", name="Message").fill("Which heat pump is best?")
    switch = page.get_by_label("Research")
    switch.focus()
    page.keyboard.press("Space")
    expect(switch).to_be_checked()
    page.get_by_role("button", name="Send", exact=True).click()
    expect(page.get_by_text("Research takes several searches")).to_be_visible()
    page.screenshot(path=tmp_path / "research.png")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.get_by_role("button", name="Begin (up to").click()
    expect(page.get_by_role("article")).to_have_count(1)
    expect(page.get_by_label("Research")).not_to_be_checked()
