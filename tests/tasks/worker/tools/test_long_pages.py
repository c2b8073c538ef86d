"""Of a page no more is told at once than an answer should cost; the rest is read by and by."""

import json
import re
from collections.abc import Callable, Generator
from pathlib import Path

import pytest
from sqlalchemy.orm import Session

from embedded.fake_web.page import WebPage
from gateways.event_streams import connect
from models.schema.users import User
from settings import Settings
from tasks.worker.tools import HANDLERS
from tests import factories
from tests.embedded.fake_web.served import served_web
from tests.tasks.worker.tools.test_tools import turn_of

SAVED = Path(__file__).parents[3] / "untrusted" / "pages"
FACTS: dict[str, list[str]] = json.loads((SAVED / "facts.json").read_text())
MOST_CHARS = 12_000
CHARSET = re.compile(rb'charset="([\w-]+)"')
GO_ON = re.compile(r"go on with at=(\d+)")
TITLE = "All that has happened on Gull Island " * 500


def _page(name: str) -> WebPage:
    # Whatever they were saved in, they are served in UTF-8 here.
    data = (SAVED / f"{name}.html").read_bytes()
    named = CHARSET.search(data)
    body = data.decode(named[1].decode() if named else "utf-8").partition("<body>")[2]
    return WebPage("saved.example", f"/{name}", TITLE, "2026-12-01", body.partition("</body>")[0])


PAGES = [_page(name) for name in FACTS]


@pytest.fixture(autouse=True)
def web(settings: Settings, adjust: Callable[..., None]) -> Generator[None]:
    connect(settings.redis_url.get_secret_value()).flushdb()  # pyright: ignore[reportUnknownMemberType]
    with served_web(*PAGES) as served:
        adjust(**served.environment(), WEB_MAX_PAGES="50")
        yield


def test_no_page_is_longer_and_the_rest_can_be_read(db: Session, ada: User) -> None:
    turn = turn_of(factories.running(db, ada, " ".join(page.url for page in PAGES)))
    parts = dict.fromkeys(FACTS, 0)
    missing: list[str] = []
    for page in PAGES:
        name, at, told = page.path[1:], 0, ""
        while at is not None:
            said = HANDLERS["read_page"](turn, {"address": page.url, "at": at})
            assert len(said) <= MOST_CHARS
            told += said.partition("\n\n")[2]
            parts[name] += 1
            more = GO_ON.search(said)
            at = int(more[1]) if more else None
        plain = told.replace("**", "").replace("\\", "")
        missing += [fact for fact in FACTS[name] if fact not in plain]
    assert parts["chronicle"] > 1
    assert len(missing) <= 0.05 * sum(map(len, FACTS.values())), missing
