"""The unit of work, and what happens only after its commit."""

from collections.abc import Callable

import pytest
import sqlalchemy as sa
from structlog.testing import capture_logs

from models.database import after_commit, open_session, unit_of_work


@pytest.mark.usefixtures("emptied")
def test_an_action_runs_after_the_commit_and_once() -> None:
    ran: list[str] = []
    with open_session() as db:
        after_commit(db, lambda: ran.append("now"))
        with db.begin_nested():
            db.execute(sa.text("SELECT 1"))
        assert ran == []
        db.commit()
        db.execute(sa.text("SELECT 1"))
        db.commit()
    assert ran == ["now"]


@pytest.mark.usefixtures("emptied")
def test_an_action_never_runs_when_the_work_is_undone() -> None:
    ran: list[str] = []
    with pytest.raises(ZeroDivisionError), unit_of_work() as db:
        after_commit(db, lambda: ran.append("now"))
        raise ZeroDivisionError
    assert ran == []


@pytest.mark.usefixtures("emptied")
def test_what_was_undone_is_not_done_by_a_later_commit_of_the_session() -> None:
    ran: list[str] = []
    with open_session() as db:
        after_commit(db, lambda: ran.append("undone"))
        db.execute(sa.text("SELECT 1"))
        db.rollback()
        after_commit(db, lambda: ran.append("kept"))
        with pytest.raises(ZeroDivisionError), db.begin_nested():
            raise ZeroDivisionError
        db.commit()
    assert ran == ["kept"]


@pytest.mark.usefixtures("emptied")
def test_what_fails_after_a_commit_is_logged_alone() -> None:
    ran: list[str] = []
    with capture_logs() as lines, unit_of_work() as db:
        after_commit(db, lambda: 1 / 0)
        after_commit(db, lambda: ran.append("told"))
    assert ran == ["told"]
    assert [line["event"] for line in lines] == ["after_commit.failed"]


@pytest.mark.usefixtures("emptied")
def test_what_a_savepoint_has_undone_is_never_done() -> None:
    ran: list[str] = []
    with unit_of_work() as db:
        with pytest.raises(ZeroDivisionError), db.begin_nested():
            after_commit(db, lambda: ran.append("undone"))
            with db.begin_nested():
                after_commit(db, lambda: ran.append("undone too"))
            raise ZeroDivisionError
        with db.begin_nested():
            after_commit(db, lambda: ran.append("kept"))
            with pytest.raises(ZeroDivisionError), db.begin_nested():
                raise ZeroDivisionError
    assert ran == ["kept"]


def test_a_statement_that_takes_long_is_logged_without_its_values(
    engine: sa.Engine, adjust: Callable[..., None]
) -> None:
    adjust(SLOW_QUERY_SECONDS="0.05")
    with capture_logs() as lines, engine.connect() as connection:
        connection.execute(sa.text("SELECT pg_sleep(0.1), CAST(:words AS text)"), {"words": "hush"})
        connection.execute(sa.text("SELECT 1"))
    (line,) = lines
    assert line["event"] == "query.slow"
    assert line["seconds"] >= 0.1
    assert line["statement"].startswith("SELECT pg_sleep(0.1)")
    assert "hush" not in str(line)
