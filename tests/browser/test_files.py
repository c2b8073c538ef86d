"""Files in a real browser: below an answer, on their page, previewed and deleted."""

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from gateways.s3_files import Storage
from models.schema.jobs import Job
from models.schema.users import User
from tests.archives import packed
from tests.browser.site import Site
from tests.handed_over import handed_over
from tests.hostile.pictures import picture

PLAN = "# The plan\n\n- [ ] dig\n- [ ] sow\n\n<script>document.title = 'run'</script>\n"


@pytest.fixture
def ada(site: Site, storage: Storage) -> User:
    """Somebody without a conversation."""
    assert storage
    return site.person()


def _hand_over(site: Site, job: Job) -> None:
    with site.database() as db:
        found = db.get_one(Job, job.id)
        handed_over(db, found, PLAN.encode(), title="The plan of the garden")
        handed_over(db, found, picture("PNG", (900, 600)), "files/beds.png")
        long = "files/" + "a-very-long-name-of-a-table-" * 5 + ".csv"
        handed_over(db, found, b"bed,plant\n1,beans\n", long)


def test_files_come_live_below_their_answer_and_are_downloaded(
    site: Site, ada: User, open_browser: Callable[..., BrowserContext], tmp_path: Path
) -> None:
    job = site.asked(ada, "Write me a plan of the garden")
    page = open_browser(viewport={"width": 1280, "height": 900}).new_page()
    site.log_in(page, ada, f"/chat/{job.conversation_id}")
    expect(page.get_by_text("Write me a plan").last).to_be_visible()
    _hand_over(site, job)
    site.answer(job, "Here it is.")
    card = page.get_by_role("list", name="Files for you")
    expect(card.get_by_role("listitem")).to_have_count(3)
    page.screenshot(path=tmp_path / "answer-1280.png")
    with page.expect_download() as downloading:
        card.get_by_role("link", name="Download plan.md").click()
    assert Path(downloading.value.path()).read_text() == PLAN
    assert downloading.value.suggested_filename == "plan.md"
    _fits(page)


@pytest.mark.parametrize("width", [360, 1280])
@pytest.mark.parametrize("look", ["light", "dark"])
def test_the_pages_fit_and_work_without_scripts(
    site: Site,
    ada: User,
    open_browser: Callable[..., BrowserContext],
    width: int,
    look: str,
    tmp_path: Path,
) -> None:
    job = site.asked(ada, "Write me a plan of the garden")
    _hand_over(site, job)
    site.answer(job, "Here it is.")
    context = open_browser(
        viewport={"width": width, "height": 900}, color_scheme=look, java_script_enabled=False
    )
    page = context.new_page()
    site.log_in(page, ada, "/files")
    page.screenshot(path=tmp_path / f"files-{width}-{look}.png", full_page=True)
    _fits(page)
    page.get_by_role("link", name="The plan of the garden").click()
    # It is words, and no page of its own.
    expect(page.get_by_text("<script>document.title")).to_be_visible()
    page.screenshot(path=tmp_path / f"file-{width}-{look}.png", full_page=True)
    _fits(page)
    page.get_by_role("button", name="Delete for good").click()
    expect(page.get_by_text("Deleted.")).to_be_visible()
    expect(page.get_by_role("link", name="The plan of the garden")).to_have_count(0)
    page.goto(f"{site.url}/chat/{job.conversation_id}")
    expect(page.get_by_role("list", name="Files for you").get_by_role("listitem")).to_have_count(2)
    page.screenshot(path=tmp_path / f"answer-{width}-{look}.png")
    _fits(page)


@pytest.mark.parametrize("width", [360, 1280])
def test_archives_are_asked_for_and_brought_in_the_settings(
    site: Site,
    ada: User,
    open_browser: Callable[..., BrowserContext],
    width: int,
    tmp_path: Path,
) -> None:
    page = open_browser(viewport={"width": width, "height": 900}).new_page()
    site.log_in(page, ada, "/settings")
    page.get_by_role("button", name="Export everything").click()
    expect(page.get_by_text("Being put together since")).to_be_visible()
    archive = tmp_path / "archive.zip"
    archive.write_bytes(b"no archive")
    page.get_by_label("Archive, at most").set_input_files(archive)
    page.get_by_role("button", name="Import").click()
    expect(page.locator("#import").get_by_role("alert")).to_be_visible()
    _fits(page)
    page.locator("#archives").screenshot(path=tmp_path / f"export-{width}.png")
    page.locator("#import").screenshot(path=tmp_path / f"import-{width}.png")
    archive.write_bytes(packed())
    page.get_by_label("Archive, at most").set_input_files(archive)
    page.get_by_role("button", name="Import").click()
    expect(page.get_by_text("Imported: 1 conversation")).to_be_visible()
    page.goto(f"{site.url}/files")
    page.screenshot(path=tmp_path / f"brought-{width}.png")
    page.goto(f"{site.url}/chat")
    expect(page.get_by_text("Old plants.")).to_be_visible()
    page.screenshot(path=tmp_path / f"talk-{width}.png")
    _fits(page)


def _fits(page: Page) -> None:
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
