"""Who is asking. The one module that knows flask-login, which has no types.

The cookie holds the id of a `user_sessions` row, so a browser can be sent away from elsewhere.
"""

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar, cast
from urllib.parse import urlsplit
from uuid import UUID

from flask import Flask, Response, g, request, session, url_for
from flask_login import (  # pyright: ignore[reportMissingTypeStubs]
    LoginManager,
    UserMixin,
    login_user,  # pyright: ignore[reportUnknownVariableType]
    logout_user,  # pyright: ignore[reportUnknownVariableType]
)
from flask_login import current_user as visitor  # pyright: ignore[reportUnknownVariableType]
from werkzeug.exceptions import Unauthorized

from gateways import values
from models import ledger
from models.errors import Refused
from models.people import sessions, two_factor
from models.schema.sessions import UserSession
from models.schema.users import User
from webapp.core import detours, devices
from webapp.core.db import db
from webapp.core.htmx import go_to, is_partial

# In the signed cookie: whose login it is, for what must not wait for the database.
USER = "user"
# What there makes a page one person's: their login, what they signed up for or have proven.
PRIVATE = ("_user_id", "sign_up", "google_proven", "awaits_code")
# In the cookie of a browser that still lacks the code of an app: its session.
_AWAITS_CODE = "awaits_code"
P = ParamSpec("P")
R = TypeVar("R")


class LinkOfAnother(Refused):
    """A link belongs to another account than the logged-in one."""

    code = "link_of_another"


class SignedIn(UserMixin):
    """A logged-in browser, as flask-login wants to see it."""

    def __init__(self, session: UserSession) -> None:
        self.session = session
        # For the log, which is written when the database may have gone.
        self.user_id = session.user_id

    def get_id(self) -> str:
        return str(self.session.id)


def install(app: Flask) -> None:
    """Let `app` know its visitors by their cookie."""
    manager = LoginManager()
    # Its own protection would log a phone out whenever it changes networks.
    manager.session_protection = None  # pyright: ignore[reportAttributeAccessIssue]
    manager.user_loader(_load)  # pyright: ignore[reportUnknownMemberType]
    # Its own `init_app` would look at the cookie in each answer, static files included.
    app.login_manager = manager  # pyright: ignore[reportAttributeAccessIssue]
    app.after_request(_keep_private)
    app.context_processor(lambda: {"person": find_current_user()})


def log_in(user: User) -> None:
    """Make this browser `user`'s, under a new session: what it was before is forgotten.

    Where two-factor sign-in is on it is nobody's until a code has come: wherever it goes that asks
    for a login, it is asked for that.
    """
    forget()
    if not two_factor.is_on(db(), user.id):
        _open(user, has_shown_code=False)
        return
    waiting = sessions.await_code(db(), user, request.user_agent.string)
    session[_AWAITS_CODE] = str(waiting.id)


def log_in_by_code(waiting: UserSession, code: str) -> bool:
    """Make this browser its user's by a code; tell whether its login still waited for one.

    Raises WrongCode, TooManyWrongCodes, and TwoFactorOff where no code is asked for any more.
    """
    user = ledger.lock_account(db(), waiting.user_id)
    # Whoever had the lock before may have logged it out.
    if find_awaiting_code() is None:
        return False
    two_factor.take_code(db(), user.id, code)
    forget()
    _open(user, has_shown_code=True)
    return True


def find_awaiting_code() -> UserSession | None:
    """Return the login of this browser that still lacks a code, or None."""
    wanted = values.uuid_or_none(session.get(_AWAITS_CODE))
    return sessions.find_awaiting(db(), wanted) if wanted else None


def _open(user: User, *, has_shown_code: bool) -> None:
    agent = request.user_agent.string
    opened = sessions.open_for(db(), user, agent, has_shown_code=has_shown_code)
    login_user(SignedIn(opened))
    session[USER] = str(user.id)
    session.permanent = True
    devices.remember(user.id)


def log_out() -> None:
    """Revoke this browser's session and empty its cookie."""
    forget()
    detours.take()
    logout_user()


def forget() -> None:
    """Revoke whatever session this browser has, and drop all that its cookie remembers.

    But for the page that it was going to when it was asked who it is.
    """
    known, waiting = _signed_in(), find_awaiting_code()
    for ended in (known.session if known else None, waiting):
        if ended is not None:
            sessions.revoke(db(), ended.user_id, ended.id)
    detour = detours.take()
    session.clear()
    if detour is not None:
        detours.remember(detour)
    g.pop("_login_user", None)


def find_current_user() -> User | None:
    """Return who is asking, or None for a stranger."""
    known = _signed_in()
    return known.session.user if known else None


def find_current_user_id() -> UUID | None:
    """Return the id of who asked, if this request has looked that up; it asks nothing itself."""
    known = g.get("_login_user")
    return known.user_id if isinstance(known, SignedIn) else None


def current_user() -> User:
    """Return who is asking; only for views behind one of the decorators below."""
    user = find_current_user()
    if user is None:
        raise Unauthorized
    return user


def current_session() -> UserSession:
    """Return the logged-in browser that is asking; for views behind a decorator below."""
    known = _signed_in()
    if known is None:
        raise Unauthorized
    return known.session


def find_current_session() -> UserSession | None:
    """Return the logged-in browser that is asking, or None for a stranger's."""
    known = _signed_in()
    return known.session if known else None


def refuse_anybody_but(user_id: UUID) -> None:
    """Raise LinkOfAnother when somebody else is logged in here than the one a link belongs to."""
    person = find_current_user()
    if person is not None and person.id != user_id:
        raise LinkOfAnother


def login_required(view: Callable[P, R]) -> Callable[P, R | Response]:
    """Send strangers to the login page and back afterwards."""

    @wraps(view)
    def guarded(*args: P.args, **kwargs: P.kwargs) -> R | Response:
        if find_current_user() is None:
            return to_login()
        return view(*args, **kwargs)

    return guarded


def member_required(view: Callable[P, R]) -> Callable[P, R | Response]:
    """Send strangers to the login page, and those who did not introduce themselves to that."""

    @wraps(view)
    def guarded(*args: P.args, **kwargs: P.kwargs) -> R | Response:
        user = find_current_user()
        if user is None:
            return to_login()
        if not user.is_onboarded:
            return go_to(url_for("onboarding.show"))
        return view(*args, **kwargs)

    return guarded


def safe_next(target: str | None) -> str:
    """Return `target` if it is a path on this site, else the chat: nobody is sent elsewhere."""
    home = "/chat"
    if not target or not target.startswith("/") or not target.isprintable():
        return home
    # Browsers read a backslash as a slash, and two slashes as another host.
    if target[1:2] in ("/", "\\") or "\\" in target:
        return home
    parts = urlsplit(target)
    return home if parts.scheme or parts.netloc else target


def to_login() -> Response:
    """Send a stranger to the login page, and afterwards back to the page that they look at."""
    if request.headers.get("Accept", "").startswith("text/event-stream"):
        # A stream would follow to the login page, and try again for ever.
        raise Unauthorized
    awaits_code = find_awaiting_code() is not None
    page = "login_code.show" if awaits_code else "account.show_login"
    return go_to(url_for(page, next=_page_looked_at()))


def _page_looked_at() -> str | None:
    """Return the path of it: of this request, or of the page whose form or script sent it."""
    if request.method == "GET" and not is_partial():
        return request.full_path.removesuffix("?")
    name = "HX-Current-URL" if is_partial() else "Referer"
    try:
        shown = urlsplit(request.headers.get(name, ""))
    except ValueError:
        return None
    if shown.netloc != request.host:
        return None
    return f"{shown.path}?{shown.query}" if shown.query else shown.path


def _load(session_id: str) -> SignedIn | None:
    wanted = values.uuid_or_none(session_id)
    found = sessions.find_live(db(), wanted) if wanted else None
    return SignedIn(found) if found else None


def _signed_in() -> SignedIn | None:
    # flask-login's own way, which a page goes a hundred times, is ten times as long.
    found = g.get("_login_user")
    if isinstance(found, SignedIn):
        return found
    if not session.get("_user_id"):
        return None
    known = cast(SignedIn, visitor)
    return known if known.is_authenticated else None


def _keep_private(response: Response) -> Response:
    # After logging out, the back button must not show what was there.
    # Static files, which say how long they may be kept, must not even look at the cookie.
    if "Cache-Control" not in response.headers and any(session.get(key) for key in PRIVATE):
        response.headers["Cache-Control"] = "no-store"
    return response
