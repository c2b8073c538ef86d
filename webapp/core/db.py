"""One database session and one transaction for each request."""

from contextlib import suppress

from flask import Flask, Response, current_app, g, make_response, request
from flask import session as cookie
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from models import database

# Where flask-wtf keeps what its forms' tokens are made of.
CSRF = "csrf_token"


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
    if session is None:
        return response
    if response.status_code >= 400:
        _undo(session)
        return response
    try:
        session.commit()
    except Exception as error:  # noqa: BLE001  # whatever it is, it has an answer of its own
        _undo(session)
        _put_back_cookie()
        # Flask lets the handlers of errors answer only what views raise.
        return make_response(current_app.handle_user_exception(error))
    return response


def _undo(session: Session) -> None:
    with suppress(DBAPIError):
        session.rollback()
        return
    # PostgreSQL has gone, and undoes by itself; the connection is thrown away.
    session.invalidate()


def _put_back_cookie() -> None:
    """Let the cookie say again what it said: neither "Deleted" nor a login that nobody has."""
    came = current_app.session_interface.open_session(current_app, request)
    token = cookie.get(CSRF)
    cookie.clear()
    cookie.update(came or {})
    if token is not None:
        # The page that the visitor is about to get may have a form.
        cookie[CSRF] = token


def _close(_: BaseException | None) -> None:
    session: Session | None = g.pop("db", None)
    if session is not None:
        session.close()
