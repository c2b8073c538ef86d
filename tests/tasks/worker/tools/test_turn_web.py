"""What a turn takes in of its conversation is bounded, holds nobody up and ends with the turn."""

from collections.abc import Iterable
from types import SimpleNamespace
from typing import Any

import pytest
from sqlalchemy.orm import Session

from models import jobs
from models.database import unit_of_work
from models.schema.jobs import Job
from models.schema.users import User
from tasks.worker import answering
from tasks.worker.tools import HANDLERS, conversation_web, turn_web
from tasks.worker.tools.turn_web import TurnWeb
from tests import factories
from tests.tasks.worker.tools.test_tools import turn_of


@pytest.fixture
def running(db: Session, ada: User) -> Job:
    """A message of Ada's that is being answered."""
    job = factories.running(db, ada, "What of gull.example, please?")
    db.commit()
    return job


@pytest.mark.usefixtures("emptied")
@pytest.mark.parametrize("tool", ["web_search", "read_page", "remind", "change_reminder"])
def test_a_conversation_is_taken_in_while_nothing_is_locked(
    tool: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A worker renews the leases of all its jobs meanwhile."""
    with unit_of_work() as db:
        turn = turn_of(factories.running(db, factories.user(db, "ada1@example.org")))
    heard: list[bool] = []

    def _hear(_: TurnWeb, _texts: Iterable[str]) -> None:
        with unit_of_work() as db:
            # Refused after a moment where another transaction holds the rows.
            jobs.lock_held(db, turn.job_id, turn.attempt)
        heard.append(True)
        raise InterruptedError

    monkeypatch.setattr(TurnWeb, "hear", _hear)
    with pytest.raises(InterruptedError):
        HANDLERS[tool](turn, {"query": "x", "address": "http://gull.example/", "number": 1})
    assert heard == [True]


def test_of_what_the_user_wrote_the_latest_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turn_web, "MOST_HEARD", 40)
    web = TurnWeb(has_others_words=True)
    web.hear(["walnuts and http://gull.example/a", "ferry diabetes", "http://gull.example/b"])
    assert web.may_search("walnuts ferry")
    assert not web.may_search("diabetes")
    assert web.may_read("http://gull.example/a")
    assert not web.may_read("http://gull.example/b")


def test_of_one_text_so_many_addresses_are_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turn_web, "MOST_ADDRESSES_OF_TEXT", 1)
    heard, seen = TurnWeb(has_others_words=False), TurnWeb(has_others_words=False)
    heard.hear(["http://gull.example/a http://gull.example/b"])
    seen.see("http://gull.example/a http://gull.example/b")
    for web in (heard, seen):
        assert web.may_read("http://gull.example/a")
        assert not web.may_read("http://gull.example/b")
    # What is not known is refused, however much of it there is.
    assert not heard.has_come("http://gull.example/a http://gull.example/b")


def test_what_earlier_answers_read_is_a_strangers_though_it_is_cut(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(turn_web, "MOST_REMEMBERED", 7)
    web = TurnWeb(has_others_words=False)
    web.remember(["walnuts diabetes", "gulls"])
    assert web.may_search("walnuts")
    assert not web.may_search("diabetes")
    assert not web.may_search("gulls")


def test_what_a_turn_keeps_of_words_has_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turn_web, "MOST_STEMS", 1)
    monkeypatch.setattr(turn_web, "MOST_UNSPACED_CHARS", 3)
    web = TurnWeb(has_others_words=False)
    web.see("cat dog \u732b \u72ac")
    assert web.may_search("cat \u732b")
    assert not web.may_search("dog")
    assert not web.may_search("\u72ac")


@pytest.mark.parametrize("is_broken", [False, True])
def test_what_a_turn_has_seen_is_dropped_with_its_end(
    running: Job, is_broken: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    turn = turn_of(running)
    conversation_web.recall(turn, turn_web.of(turn))
    before = turn_web.of(turn)
    assert before.may_read("http://gull.example/")

    def _see_through(*_: Any) -> None:
        assert turn_web.of(turn) is before
        if is_broken:
            raise OSError

    monkeypatch.setattr(answering, "_see_through", _see_through)

    def _nothing(*_: Any) -> None:
        return None

    held = SimpleNamespace(job_id=turn.job_id, user_id=turn.user_id, attempt=turn.attempt)
    process = SimpleNamespace(
        held=SimpleNamespace(remove=_nothing),
        look_again=_nothing,
        runtime=SimpleNamespace(discard=_nothing),
    )
    answering._turn(process, held)  # type: ignore[arg-type]  # pyright: ignore
    assert turn_web.of(turn) is not before
