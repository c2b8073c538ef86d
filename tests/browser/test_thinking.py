"""A message that is thought about for longer, and what is thought of meanwhile."""

from collections.abc import Callable

import pytest
import sqlalchemy as sa
from playwright.sync_api import BrowserContext, Page, expect

from gateways.live_events import ThoughtShown
from models.schema.jobs import Job
from tests.browser.site import Site

pytestmark = pytest.mark.xdist_group("browser")


@pytest.fixture
def page(open_browser: Callable[..., BrowserContext]) -> Page:
    return open_browser().new_page()


def test_the_switch_is_for_one_message_and_works_by_keys(site: Site, page: Page) -> None:
    site.log_in(page, ada := site.person(), "/chat/new")
    switch = page.get_by_role("checkbox", name="Think longer")
    expect(switch).not_to_be_checked()
    switch.focus()
    page.keyboard.press("Space")
    expect(switch).to_be_checked()
    page.locator("#text").fill("Prove it.")
    page.get_by_role("button", name="Send").click()
    page.wait_for_url("**/chat/0*")
    expect(switch).not_to_be_checked()
    with site.database() as db:
        [job] = db.scalars(sa.select(Job).where(Job.user_id == ada.id)).all()
        assert job.thinks_longer


def test_what_is_thought_of_is_shown_until_words_come(site: Site, page: Page) -> None:
    ada = site.person()
    job = site.asked(ada, "Prove it.")
    site.log_in(page, ada, f"/chat/{job.conversation_id}")
    site.tell(job, ThoughtShown("Weighing <b>it</b> up"))
    expect(page.locator("[data-words]")).to_have_text("Weighing <b>it</b> up")
    site.say(job, "So it is.")
    expect(page.get_by_text("So it is.")).to_be_visible()
    expect(page.get_by_text("Weighing")).to_have_count(0)
