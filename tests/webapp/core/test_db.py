"""One transaction a request."""

from collections.abc import Callable, Iterator

import pytest
import sqlalchemy as sa
import structlog
from flask import Flask, abort, flash
from sqlalchemy import event
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from models import database
from models.chat.conversations import BadTitle
from models.database import after_commit
from models.schema.users import User
from settings import Settings
from tests.webapp.browser import Browser
from webapp.core.auth import current_user, log_out
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


@pytest.fixture
def losing(app: Flask, settings: Settings, db: Session) -> Iterator[Flask]:
    """A site whose pages lose their connection to PostgreSQL just before they end in some way."""
    assert db.is_active
    url = settings.database_url.get_secret_value().replace("postgresql:", "postgresql+psycopg:", 1)
    pages, other = sa.create_engine(url), sa.create_engine(url)
    # The fixture `db` puts the sessions right again.
    database.open_session.configure(bind=pages)

    def _lose(ending: str) -> str:
        pid = session().scalar(sa.text("SELECT pg_backend_pid()"))
        with other.connect() as killer:
            killer.execute(sa.text("SELECT pg_terminate_backend(:pid, 5000)"), {"pid": pid})
        if ending == "refused":
            raise BadTitle
        return "saved"

    app.add_url_rule("/lose/<ending>", "lose", _lose)
    yield app
    pages.dispose()
    other.dispose()


def test_an_answer_whose_commit_does_not_reach_postgresql_is_an_outage(losing: Flask) -> None:
    browser = Browser(losing)

    with structlog.testing.capture_logs() as told:
        answer = browser.get("/lose/well")

    assert answer.status_code == 503
    assert "Back in a moment" in answer.text
    assert [line["event"] for line in told if line["log_level"] == "error"] == ["database_lost"]


@pytest.mark.parametrize(("ending", "status"), [("refused", 422), ("saved", 503)])
def test_nothing_is_read_again_when_a_request_was_undone(
    log_in: Callable[[User], Browser], app: Flask, ada: User, ending: str, status: int
) -> None:
    """The log says whose it was, and the database may be what is broken."""
    read: list[object] = []

    def _undo() -> str:
        assert current_user().name == "Ada"
        event.listen(session(), "after_rollback", _watch)
        if ending == "refused":
            raise BadTitle
        event.listen(session(), "before_commit", _fail, once=True)
        return ending

    def _watch(db: Session) -> None:
        event.listen(db, "do_orm_execute", read.append)

    def _fail(_: Session) -> None:
        raise OperationalError("COMMIT", {}, Exception())

    app.add_url_rule("/undo", "undo", _undo)
    adas = log_in(ada)

    with structlog.testing.capture_logs() as told:
        assert adas.get("/undo").status_code == status

    assert read == []
    assert told[-1]["event"] == "request"
    assert told[-1]["user_id"]


def test_a_refusal_stays_one_though_its_rollback_does_not_reach_postgresql(losing: Flask) -> None:
    browser = Browser(losing)

    assert browser.get("/lose/refused").status_code == 422
    assert browser.get("/lose/refused").status_code == 422


def test_a_cookie_says_nothing_that_was_not_committed(
    app: Flask, ada: User, log_in: Callable[[User], Browser]
) -> None:
    def _delete() -> str:
        flash("Deleted.")
        log_out()
        event.listen(session(), "before_commit", _fail, once=True)
        return "deleted"

    def _fail(_: Session) -> None:
        raise OperationalError("COMMIT", {}, Exception())

    app.add_url_rule("/delete", "delete", _delete)
    adas = log_in(ada)

    answer = adas.get("/delete")

    assert answer.status_code == 503
    assert "Deleted." not in answer.text
    following = adas.get("/settings")
    assert following.status_code == 200
    assert "Deleted." not in following.text
