"""One database session and one transaction for each request."""

from flask import Flask, Response, g
from sqlalchemy.orm import Session

from models import database


def db() -> Session:
    """Return this request's session; it is opened when it is first asked for.

    What was changed through it is committed after a good response (below 400) and undone after
    any other, so a view need not commit. Streams and threads open `unit_of_work()` instead.
    """
    if "db" not in g:
        g.db = database.open_session()
    return g.db


def commit_and_release() -> None:
    """Commit what was changed, and give the connection and all locks back, before the answer.

    Call it before the network is waited for: a connection is held by nobody who waits. Also when
    something waits for what was changed: it begins while the page is being drawn. What was read
    stays readable; what is changed afterwards is a transaction of its own. An error response does
    not undo what was committed.
    """
    db().commit()


def install(app: Flask) -> None:
    """Give `app` the rule above."""
    app.after_request(_settle)
    app.teardown_appcontext(_close)


def _settle(response: Response) -> Response:
    session: Session | None = g.get("db")
    if session is not None:
        if response.status_code < 400:
            session.commit()
        else:
            session.rollback()
    return response


def _close(_: BaseException | None) -> None:
    session: Session | None = g.pop("db", None)
    if session is not None:
        session.close()
