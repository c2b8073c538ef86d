"""Real browsers on the whole product."""

import os
from collections.abc import Callable, Generator
from typing import Any

import pytest
import sqlalchemy as sa
from playwright.sync_api import (
    Browser,
    BrowserContext,
    Page,
    ViewportSize,
    expect,
    sync_playwright,
)

from gateways.s3_files import Storage
from settings import Settings
from tests.browser.site import Site, serve
from tests.house import House
from webapp import create_app

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
def open_browser(chromium: Browser) -> Generator[Callable[..., BrowserContext]]:
    """Opens a browser of one's own, on a phone in New York; a script error fails the test.

    Whatever Playwright's `new_context` takes may be given.
    """
    opened: list[BrowserContext] = []
    errors: list[str] = []

    def _open(**given: Any) -> BrowserContext:
        usual: dict[str, Any] = {
            "viewport": PHONE,
            "timezone_id": "America/New_York",
            "locale": "en-GB",
        }
        context = chromium.new_context(**{**usual, **given})
        context.set_default_timeout(PATIENCE_MS)
        expect.set_options(timeout=PATIENCE_MS)
        context.on("weberror", lambda error: errors.append(str(error.error)))
        opened.append(context)
        return context

    yield _open
    for context in opened:
        context.close()
    assert errors == []


@pytest.fixture
def open_page(open_browser: Callable[..., BrowserContext], house: House) -> Callable[[], Page]:
    """Opens a page of the whole product, in a browser of its own."""
    return lambda: open_browser(base_url=house.url).new_page()


@pytest.fixture
def site(
    settings: Settings, emptied: sa.Engine, redis_url: str, storage: Storage
) -> Generator[Site]:
    """The website without the rest of the product; its people and words are gone afterwards."""
    assert emptied
    assert storage
    with serve(create_app(settings), redis_url) as site:
        yield site


@pytest.fixture
def page(open_page: Callable[[], Page]) -> Page:
    return open_page()
