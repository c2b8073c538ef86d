"""The made-up web in a thread of the test, so that a test sees what it was asked."""

import asyncio
import threading
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass

from aiohttp import web

from embedded.fake_web.page import WebPage
from embedded.fake_web.pages import PAGES
from embedded.fake_web.server import MadeUpWeb
from embedded.ports import LOCALHOST


@dataclass(frozen=True)
class ServedWeb:
    """A made-up web that runs; `asked` has every address and search that came, oldest first."""

    port: int
    asked: list[str]

    def environment(self) -> dict[str, str]:
        """The settings that lead here."""
        return {
            "SEARXNG_BASE_URL": f"http://{LOCALHOST}:{self.port}",
            "WEB_EXAMPLE_ADDRESS": f"{LOCALHOST}:{self.port}",
        }

    def pages_asked(self) -> list[str]:
        """What was asked for besides searches and rules for robots."""
        return [
            one for one in self.asked if not one.startswith("search:") and "/robots.txt" not in one
        ]


@contextmanager
def served_app(app: web.Application) -> Generator[int]:
    """Serve on a free port in a thread; yield the port."""
    loop = asyncio.new_event_loop()
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1, handler_cancellation=True)
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()

    async def start() -> int:
        await runner.setup()
        await web.TCPSite(runner, LOCALHOST, 0).start()
        return int(runner.addresses[0][1])

    try:
        yield asyncio.run_coroutine_threadsafe(start(), loop).result(10)
    finally:
        asyncio.run_coroutine_threadsafe(runner.cleanup(), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
        loop.close()


@contextmanager
def served_web(*more: WebPage) -> Generator[ServedWeb]:
    """Serve the made-up web, with `more` pages."""
    made_up = MadeUpWeb((*PAGES, *more))
    with served_app(made_up.app()) as port:
        yield ServedWeb(port, made_up.asked)
