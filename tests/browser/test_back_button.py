"""Pages that the browser keeps for its back button, which Playwright switches off unless asked."""

from collections.abc import Callable, Generator

import pytest
from playwright.sync_api import Browser, BrowserContext, expect, sync_playwright

from tests.browser.conftest import CHROMIUM, QUIETLY
from tests.browser.site import Site

pytestmark = pytest.mark.xdist_group("browser")


@pytest.fixture(scope="module")
def chromium() -> Generator[Browser]:
    """A browser that keeps pages as people's do."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM,
            args=[*QUIETLY, "--enable-features=BackForwardCache"],
            ignore_default_args=["--disable-back-forward-cache"],
        )
        yield browser
        browser.close()


def test_after_logging_out_back_shows_nothing_of_what_was_there(
    site: Site, open_browser: Callable[..., BrowserContext]
) -> None:
    ada = site.person()
    talk = site.conversation(ada, "My divorce lawyer")
    page = open_browser(viewport={"width": 1280, "height": 800}).new_page()
    site.log_in(page, ada, "/chat/new")
    # An older page of it has no stream, which would keep the browser from keeping it.
    page.goto(f"{site.url}/chat/{talk}?before=ffffffff-ffff-ffff-ffff-ffffffffffff")
    expect(page.locator("body")).to_contain_text("My divorce lawyer")
    page.get_by_label("Your account").click()
    page.get_by_role("button", name="Log out").click()
    page.wait_for_url(f"{site.url}/")
    page.evaluate("history.back()")
    page.wait_for_url("**/login?**")
    expect(page.locator("body")).not_to_contain_text("My divorce lawyer")
