"""What people see when something is refused, missing or broken: each said once, here."""

import math
import time

import structlog
from flask import Flask, Response, current_app, make_response, request
from flask_wtf.csrf import CSRFError  # pyright: ignore[reportMissingTypeStubs]
from redis import RedisError
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as NoConnection
from werkzeug.exceptions import HTTPException

from actions.sentences.refusals import sentence_of
from gateways.values import BadValue
from models.database import OUTAGES
from models.errors import NotFound, Refused
from models.translation import gettext, marked
from webapp.core.auth import find_current_user, to_login
from webapp.core.formats import duration
from webapp.core.htmx import is_partial, part
from webapp.core.security import limiter

log = structlog.get_logger()

# Status: title, and what to do about it.
WORDS = {
    400: (
        marked("That request did not make sense"),
        marked("Go back, reload the page and try again."),
    ),
    401: (marked("Please log in first"), marked("Then you can go on where you were.")),
    403: (marked("This is closed to you"), marked("If you think that is wrong, log in again.")),
    404: (
        marked("There is nothing here"),
        marked("The page may have moved, or it belongs to somebody else."),
    ),
    405: (marked("That cannot be done here"), marked("Go back and try it from the page.")),
    413: (marked("That is too big to send"), marked("Choose a smaller file or a shorter text.")),
    429: (marked("That was a lot at once"), marked("Please try again %(later)s.")),
    503: (
        marked("Back in a moment"),
        marked("We cannot reach our records just now. Please try again."),
    ),
    500: (
        marked("Something broke on our side"),
        marked("It has been noted. Nothing you wrote before is lost; please try again."),
    ),
}
# Whose forms are for who is not logged in, too.
FOR_STRANGERS = {
    *("account", "credentials", "google", "google_connection", "password_reset", "sign_ups"),
    *("verification",),
}
EXPIRED_FORM = (marked("This form has expired"), marked("Reload the page and send it again."))


class Unreadable(Refused):
    """Something in a form cannot be read."""

    code = "unreadable"


def install(app: Flask) -> None:
    """Answer refusals and errors with a notice (HTMX) or a page of their own."""
    app.register_error_handler(NotFound, _show_missing)
    app.register_error_handler(Refused, _show_refusal)
    app.register_error_handler(BadValue, lambda _: _show_refusal(Unreadable()))
    app.register_error_handler(CSRFError, _show_expired_form)
    app.register_error_handler(HTTPException, _show_http_error)
    app.register_error_handler(DBAPIError, _show_database_error)
    app.register_error_handler(NoConnection, _show_crowd)
    app.register_error_handler(RedisError, _show_redis_away)
    app.register_error_handler(Exception, _show_bug)


def close() -> Response:
    """Answer somebody who knows that a page is there and may not see it."""
    return _say(403, *WORDS[403])


def notice(text: str, status: int) -> Response:
    """Answer an HTMX request with a notice that leaves the rest of the page as it is."""
    html = _render("_notice.html", text=text)
    return part(html, status, retarget="#notices", reswap="innerHTML")


def _show_refusal(refusal: Refused) -> Response:
    if is_partial():
        return notice(sentence_of(refusal), 422)
    return _page(422, gettext("That did not work"), sentence_of(refusal))


def _show_missing(_: NotFound) -> Response:
    return _say(404, *WORDS[404])


def _show_expired_form(_: CSRFError) -> Response:
    if find_current_user() is None and request.blueprint not in FOR_STRANGERS:
        # The login has ended, and with it the token of its forms.
        return to_login()
    return _say(400, *EXPIRED_FORM)


def _show_http_error(error: HTTPException) -> Response:
    if isinstance(error.response, Response):
        # Whoever raised it has drawn the answer.
        return error.response
    broken = getattr(error, "original_exception", None)
    if isinstance(broken, RedisError) or _is_outage(broken):
        # Something after the view, or another handler, met it; Flask has logged it.
        return _say(503, *WORDS[503])
    code = error.code or 500
    if code < 400:
        return make_response(error.get_response())
    title, text = WORDS.get(code) or WORDS[500 if code >= 500 else 400]
    if code == 429:
        response = _show(code, gettext(title), gettext(text, later=_later(error)))
    else:
        response = _say(code, title, text)
    for name, value in error.get_headers():
        if name.lower() in ("retry-after", "allow"):
            response.headers[name] = value
    return response


def _later(error: HTTPException) -> str:
    """Say when a visitor who asked too often may ask again, as the limit has it."""
    breached = limiter.current_limit
    given = getattr(error, "retry_after", None)
    seconds = breached.reset_at - time.time() if breached and breached.breached else given
    if not isinstance(seconds, int | float) or seconds < 10:
        return gettext("in a moment")
    return gettext("in %(time)s", time=duration(math.floor(seconds)))


def _is_outage(error: object) -> bool:
    """PostgreSQL ends a connection in more ways than one; where it did not, the fault is ours."""
    was_ended = isinstance(error, DBAPIError) and error.connection_invalidated
    return was_ended or isinstance(error, OUTAGES)


def _show_database_error(error: DBAPIError) -> Response:
    if not _is_outage(error):
        return _show_bug(error)
    log.error("database_lost", reason=type(error.orig).__name__)
    return _say(503, *WORDS[503])


def _show_crowd(_: NoConnection) -> Response:
    log.error("database_crowded")
    return _say(503, *WORDS[503])


def _show_redis_away(error: RedisError) -> Response:
    log.error("redis_lost", reason=type(error).__name__)
    return _say(503, *WORDS[503])


def _show_bug(error: Exception) -> Response:
    log.error("request_failed", exc_info=error)
    return _say(500, *WORDS[500])


def _say(status: int, title: str, text: str) -> Response:
    return _show(status, gettext(title), gettext(text))


def _show(status: int, title: str, text: str) -> Response:
    if is_partial():
        return notice(f"{title}. {text}", status)
    return _page(status, title, text)


def _page(status: int, title: str, text: str) -> Response:
    html = _render("core/errors/page.html", status=status, title=title, text=text)
    return make_response(html, status)


def _render(template: str, **values: object) -> str:
    # Without Flask's context, which looks up who is asking: the database may be what is broken.
    return current_app.jinja_env.get_template(template).render(values)
