"""However many streams open at once, pages find a connection and no stream is refused."""

import threading
from collections.abc import Callable, Generator
from contextlib import ExitStack, contextmanager
from typing import Generic, TypeVar

import pytest
import sqlalchemy as sa
from flask import Flask
from sqlalchemy.pool import QueuePool

from models import database
from models.database import unit_of_work
from settings import Settings
from tests import factories
from tests.webapp.browser import Browser
from tests.webapp.stream import Screen, Stream
from webapp import create_app
from webapp.chat import event_stream
from webapp.core import db_slots

Result = TypeVar("Result")

GRACE = "grace@example.org"
# Long enough for a stream that waits for nobody.
SOON = 0.5


@pytest.fixture
def pool(emptied: sa.Engine) -> QueuePool:
    """All connections of a website that waits for none."""
    few = sa.create_engine(
        emptied.url, pool_size=db_slots.AT_ONCE + 1, max_overflow=0, pool_timeout=0.01
    )
    database.open_session.configure(bind=few, join_transaction_mode="conditional_savepoint")
    assert isinstance(few.pool, QueuePool)
    return few.pool


@pytest.fixture
def site(pool: QueuePool, settings: Settings, redis_url: str) -> Generator[Flask]:
    assert redis_url
    site = create_app(settings)
    yield site
    site.extensions["hub"].close()


@pytest.fixture
def path(pool: QueuePool) -> str:
    """Grace's conversation, in which something happens."""
    assert pool
    with unit_of_work() as db:
        grace = factories.user(db, GRACE)
        return f"/chat/{factories.job(db, grace).conversation_id}"


def test_a_stream_waits_to_be_let_in_and_pages_do_not(
    pool: QueuePool, site: Flask, path: str
) -> None:
    laptop, phone = _logged_in(site), _logged_in(site)
    with _all_turns_taken():
        opening = _Doing(lambda: Stream(laptop, f"{path}/events", Screen()))
        assert not opening.is_done.wait(SOON)
        assert pool.checkedout() == 0
        assert phone.get(path).status_code == 200

    assert opening.is_done.wait(10)
    opening.result.answer.close()


def test_a_stream_waits_before_it_looks(
    pool: QueuePool, site: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(event_stream, "HEARTBEAT_SECONDS", SOON / 5)
    with unit_of_work() as db:
        conversation = factories.conversation(db, factories.user(db, GRACE))
    with Stream(_logged_in(site), f"/chat/{conversation.id}/events", Screen()) as stream:
        with _all_turns_taken():
            looking = _Doing(lambda: stream.until("beat"))
            assert not looking.is_done.wait(SOON)
            assert pool.checkedout() == 0

        assert looking.is_done.wait(10)


def test_who_finds_no_connection_is_asked_to_come_back(
    pool: QueuePool, site: Flask, path: str
) -> None:
    assert path
    browser = _logged_in(site)

    with ExitStack() as others:
        for _ in range(pool.size()):
            others.callback(pool.connect().close)
        answer = browser.get("/settings")

    assert answer.status_code == 503
    assert "Back in a moment" in answer.text
    assert browser.get("/settings").status_code == 200


def _logged_in(site: Flask) -> Browser:
    browser = Browser(site)
    browser.log_in(GRACE)
    return browser


@contextmanager
def _all_turns_taken() -> Generator[None]:
    with ExitStack() as others:
        for _ in range(db_slots.AT_ONCE):
            others.enter_context(db_slots.turn())
        yield


class _Doing(Generic[Result]):
    """Something that is done in a thread of its own."""

    result: Result

    def __init__(self, what: Callable[[], Result]) -> None:
        self.is_done = threading.Event()
        threading.Thread(target=self._do, args=(what,), daemon=True).start()

    def _do(self, what: Callable[[], Result]) -> None:
        self.result = what()
        self.is_done.set()
