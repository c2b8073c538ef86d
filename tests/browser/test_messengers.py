"""A messenger beside the website: connecting it, and one conversation that both show live."""

from collections.abc import Callable

import pytest
from playwright.sync_api import BrowserContext, expect

from actions.announcements import StreamPublisher
from actions.channels import receiving
from channels.inbound import CommandGiven, MessageArrived, Sender, Update
from models.channels import accounts
from models.database import open_session
from models.schema.users import User
from tests.browser.site import Site
from tests.channels.fixtures import pigeon
from tests.channels.pigeon import Pigeon

__all__ = ["pigeon"]

pytestmark = pytest.mark.xdist_group("browser")

SENDER = Sender(account_id="bird", address="bird", name="A. Bird")


def receive(pigeon: Pigeon, number: int, inbound: MessageArrived | CommandGiven) -> None:
    """Let the messenger hand something in."""
    with open_session() as db:
        update = Update(external_id=f"{number}", number=number, inbound=inbound)
        receiving.receive(db, pigeon, [update], StreamPublisher())
        db.commit()


def link(site: Site, user: User) -> None:
    with site.database() as db:
        accounts.link(db, user.id, "pigeon", "bird", "bird", "A. Bird")


def test_the_page_of_the_code_goes_on_by_itself(
    site: Site, open_browser: Callable[..., BrowserContext], pigeon: Pigeon
) -> None:
    ada = site.person()
    page = open_browser(viewport={"width": 1280, "height": 800}).new_page()
    site.log_in(page, ada, "/settings")
    page.get_by_role("button", name="Connect Pigeon").click()
    expect(page.get_by_role("img", name="Code to scan: it opens Pigeon")).to_be_visible()
    url = page.get_by_role("link", name="Open it here").get_attribute("href") or ""
    code = url.rpartition("/")[2]
    receive(pigeon, 1, CommandGiven(sender=SENDER, message_id="1", name="start", argument=code))
    page.wait_for_url("**/settings#channels")
    expect(page.locator("#channels")).to_contain_text("Connected since")


def test_what_is_written_there_appears_here_with_its_mark(
    site: Site, open_browser: Callable[..., BrowserContext], pigeon: Pigeon
) -> None:
    ada = site.person()
    talk = site.conversation(ada, "From the ground")
    link(site, ada)
    page = open_browser().new_page()
    site.log_in(page, ada, f"/chat/{talk}")
    expect(page.locator(".shown-on")).to_contain_text("On Pigeon")
    expect(page.get_by_text("via Pigeon")).to_have_count(0)

    receive(pigeon, 1, MessageArrived(sender=SENDER, message_id="1", text="From the air"))
    expect(page.get_by_text("From the air")).to_be_visible()
    expect(page.get_by_text("via Pigeon")).to_be_visible()
    page.reload()
    expect(page.locator(".asked", has_text="From the air")).to_contain_text("via Pigeon")


def test_the_menu_of_a_conversation_brings_it_there(
    site: Site, open_browser: Callable[..., BrowserContext], pigeon: Pigeon
) -> None:
    ada = site.person()
    site.conversation(ada, "The older one")
    newer = site.conversation(ada, "The newer one")
    link(site, ada)
    page = open_browser(viewport={"width": 1280, "height": 800}).new_page()
    site.log_in(page, ada, f"/chat/{newer}")
    page.get_by_role("button", name="Rename or delete: The newer one").click()
    expect(page.get_by_role("button", name="Continue on Pigeon")).to_be_hidden()
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Rename or delete: The older one").click()
    page.get_by_role("button", name="Continue on Pigeon").click()
    expect(page.locator("#chat-title")).to_have_text("The older one")
    expect(page.locator(".shown-on")).to_contain_text("On Pigeon")
