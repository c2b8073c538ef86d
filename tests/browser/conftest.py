"""Real browsers on the whole product."""

import os
from collections.abc import Callable, Generator

import pytest
from playwright.sync_api import Browser, Page, ViewportSize, sync_playwright

from tests.house import House

CHROMIUM = os.environ.get("CHROMIUM_PATH", "/usr/bin/chromium")  # noqa: TID251  # make test says
QUIETLY = (
    "--no-sandbox",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
PHONE: ViewportSize = {"width": 360, "height": 740}
PATIENCE_MS = 15_000


@pytest.fixture(scope="module")
def chromium() -> Generator[Browser]:
    """A browser; only for a module, as Playwright's event loop would disturb tests that run one."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(QUIETLY))
        yield browser
        browser.close()


@pytest.fixture
def open_page(chromium: Browser, house: House) -> Generator[Callable[[], Page]]:
    """Opens a browser of one's own, on a phone in New York; it fails the test on a script error."""
    opened: list[Page] = []
    errors: list[str] = []

    def _open() -> Page:
        context = chromium.new_context(
            base_url=house.url, viewport=PHONE, timezone_id="America/New_York", locale="en-GB"
        )
        page = context.new_page()
        page.set_default_timeout(PATIENCE_MS)
        page.on("pageerror", lambda error: errors.append(str(error)))
        opened.append(page)
        return page

    yield _open
    for page in opened:
        page.context.close()
    assert errors == []


@pytest.fixture
def page(open_page: Callable[[], Page]) -> Page:
    return open_page()
