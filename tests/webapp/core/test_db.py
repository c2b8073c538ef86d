"""One transaction a request."""

import pytest
from flask import Flask, abort
from sqlalchemy import event
from sqlalchemy.orm import Session

from models.chat.conversations import BadTitle
from models.database import after_commit
from models.schema.users import User
from tests.webapp.browser import Browser
from webapp.core.db import commit_and_release
from webapp.core.db import db as session


@pytest.fixture
def app(own_app: Flask) -> Flask:
    """The site of these tests, to which they add pages."""
    return own_app


@pytest.fixture
def nudges(app: Flask, ada: User) -> list[str]:
    """What was done after a commit, on a site whose pages rename Ada and then end in some way."""
    done: list[str] = []

    def _rename(ending: str) -> str:
        user = session().get_one(User, ada.id)
        user.name = ending
        after_commit(session(), lambda: done.append(ending))
        if ending == "refused":
            raise BadTitle
        if ending == "broken":
            raise ZeroDivisionError
        if ending == "missing":
            abort(404)
        return "renamed"

    app.add_url_rule("/rename/<ending>", "rename", _rename)
    return done


def test_a_good_answer_keeps_what_was_changed(
    browser: Browser, nudges: list[str], ada: User, db: Session
) -> None:
    assert browser.get("/rename/well").text == "renamed"
    db.refresh(ada)
    assert ada.name == "well"
    assert nudges == ["well"]


@pytest.mark.parametrize("ending", ["refused", "broken", "missing"])
def test_any_other_answer_undoes_it(
    browser: Browser, nudges: list[str], ada: User, db: Session, ending: str
) -> None:
    assert browser.get(f"/rename/{ending}").status_code >= 400
    db.refresh(ada)
    assert ada.name == "Ada"
    assert nudges == []


def test_what_was_committed_before_the_network_is_waited_for_stays(
    browser: Browser, app: Flask, ada: User, db: Session
) -> None:
    """And nothing is held meanwhile: neither a connection nor a lock."""
    was_held: list[bool] = []

    def _pay() -> str:
        user = session().get_one(User, ada.id)
        user.name = "paying"
        commit_and_release()
        was_held.append(session().in_transaction())
        user.name = "undone"
        raise BadTitle

    app.add_url_rule("/pay", "pay", _pay)
    assert browser.get("/pay").status_code == 422
    db.refresh(ada)
    assert ada.name == "paying"
    assert was_held == [False]


def test_a_commit_that_fails_is_told(
    browser: Browser, nudges: list[str], app: Flask, ada: User, db: Session
) -> None:
    def _fail_at_commit() -> str:
        session().get_one(User, ada.id).name = "lost"

        def _fail(_: Session) -> None:
            raise ConnectionError

        event.listen(session(), "before_commit", _fail, once=True)
        return "saved"

    app.add_url_rule("/fail", "fail", _fail_at_commit)
    answer = browser.get("/fail")
    assert answer.status_code == 500
    assert "saved" not in answer.text
    db.refresh(ada)
    assert ada.name == "Ada"
