"""The unit of work, what happens only after its commit, and sessions that are opened ahead."""

import pytest
import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.exc import OperationalError

from embedded.ports import free_port
from models.base import new_id
from models.database import SessionAhead, after_commit, open_session, unit_of_work
from models.users import User


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


def test_a_session_ahead_is_open_before_it_is_wanted_and_new_after_its_use(
    emptied: sa.Engine,
) -> None:
    taken: list[object] = []

    @event.listens_for(emptied, "checkout")
    def _note(connection: object, *_: object) -> None:
        taken.append(connection)

    ahead = SessionAhead()
    ahead.renew()
    ahead.renew()
    assert len(taken) == 1
    first = ahead.get()
    first.execute(sa.text("SELECT 1"))
    assert ahead.get() is first
    assert len(taken) == 1
    ahead.renew()
    assert ahead.get() is not first
    ahead.close()
    event.remove(emptied, "checkout", _note)
    assert _checked_out(emptied) == 0


def test_in_a_session_ahead_each_statement_is_committed(emptied: sa.Engine) -> None:
    ahead = SessionAhead()
    ahead.renew()
    ada = {"id": new_id(), "email": "ada@example.org", "password_hash": ""}
    ahead.get().execute(sa.insert(User).values(ada))
    with emptied.connect() as elsewhere:
        assert elsewhere.scalar(sa.select(User.email)) == "ada@example.org"
    ahead.close()


def test_after_a_cut_connection_the_next_session_ahead_is_sound(emptied: sa.Engine) -> None:
    ahead = SessionAhead()
    ahead.renew()
    with pytest.raises(OperationalError):
        ahead.get().execute(sa.text("SELECT pg_terminate_backend(pg_backend_pid())"))
    ahead.renew()
    assert ahead.get().scalar(sa.text("SELECT 1")) == 1
    ahead.close()


def test_a_database_that_is_away_is_told_when_the_session_is_wanted(
    emptied: sa.Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    nowhere = sa.create_engine(emptied.url.set(port=free_port()))
    monkeypatch.setitem(open_session.kw, "bind", nowhere)
    ahead = SessionAhead()
    ahead.renew()
    with pytest.raises(OperationalError):
        ahead.get()
    monkeypatch.setitem(open_session.kw, "bind", emptied)
    ahead.renew()
    assert ahead.get().scalar(sa.text("SELECT 1")) == 1
    ahead.close()


def _checked_out(engine: sa.Engine) -> int:
    pool = engine.pool
    assert isinstance(pool, sa.QueuePool)
    return pool.checkedout()
