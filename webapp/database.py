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


def let_go() -> None:
    """Give this request's connection back while the network is waited for.

    It ends the transaction: call it before anything is locked or changed. What was read stays.
    """
    db().commit()


def commit_now() -> None:
    """Commit what was changed, so that what waits for it begins while the page is being drawn.

    An error response afterwards does not undo it.
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
