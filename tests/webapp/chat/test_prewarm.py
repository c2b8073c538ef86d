"""Who opens the chat is told of to the workers, but not with every page."""

import time

import pytest
from sqlalchemy.orm import Session

from actions import wakeups
from models.base import new_id
from models.schema.users import User
from tests import factories
from tests.webapp.browser import Browser
from webapp.chat.prewarm import PrewarmDebouncer, prewarm_debouncer


@pytest.fixture(autouse=True)
def told(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """Whom the workers were told of."""
    prewarm_debouncer.cache_clear()
    told: list[object] = []
    monkeypatch.setattr(wakeups, "warm", told.append)
    return told


def test_opening_the_chat_is_told_once(
    adas: Browser, ada: User, db: Session, told: list[object]
) -> None:
    conversation = factories.conversation(db, ada)
    adas.read("/settings")
    assert told == []

    adas.read("/chat/new")
    adas.read(f"/chat/{conversation.id}")

    assert told == [ada.id]


def test_strangers_and_other_peoples_conversations_are_not_told(
    browser: Browser, eves: Browser, ada: User, db: Session, told: list[object]
) -> None:
    conversation = factories.conversation(db, ada)

    browser.get("/chat/new")
    assert eves.get(f"/chat/{conversation.id}").status_code == 404

    assert told == []


def test_who_comes_back_later_is_told_again(told: list[object]) -> None:
    opened, ada, eve = PrewarmDebouncer(seconds=0.5), new_id(), new_id()
    opened.note(ada)
    opened.note(eve)
    opened.note(ada)
    assert told == [ada, eve]

    time.sleep(0.6)
    opened.note(ada)

    assert told == [ada, eve, ada]


def test_only_so_many_are_remembered(told: list[object]) -> None:
    opened, people = PrewarmDebouncer(most_known=2), [new_id() for _ in range(3)]
    for person in people:
        opened.note(person)

    opened.note(people[2])
    opened.note(people[0])

    assert told == [*people, people[0]]
