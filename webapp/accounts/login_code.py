"""The second step of signing in: the code of an authenticator app, or a recovery code."""

from flask import Blueprint, render_template, request, url_for

from actions.sentences.refusals import sentence_of
from models.errors import Refused
from models.people import two_factor
from webapp.core.auth import find_awaiting_code, find_current_user, log_in_by_code, safe_next
from webapp.core.db import commit_and_release
from webapp.core.htmx import Answer, go_to
from webapp.core.security import limiter, login_limit

pages = Blueprint("login_code", __name__)


def _guessed() -> str:
    waiting = find_awaiting_code()
    return f"code:{waiting.user_id if waiting else 'nobody'}"


@pages.get("/login/code")
def show() -> Answer:
    """Ask for the code that a login still lacks."""
    if find_awaiting_code() is None:
        return _elsewhere(request.args.get("next", ""))
    return _page(request.args.get("next", ""))


@pages.post("/login/code")
@limiter.limit(login_limit, key_func=_guessed)
@limiter.limit(login_limit)
def take() -> Answer:
    """Log this browser in by a code, and send it where it wanted to go."""
    wanted, waiting = request.form.get("next", ""), find_awaiting_code()
    if waiting is None:
        return _elsewhere(wanted)
    try:
        if not log_in_by_code(waiting, request.form.get("code", "")):
            return _elsewhere(wanted)
    except Refused as refusal:
        # That a code was wrong counts, whatever the answer is.
        commit_and_release()
        return _page(wanted, sentence_of(refusal)), 422
    return go_to(safe_next(wanted))


def _elsewhere(wanted: str) -> Answer:
    if find_current_user() is not None:
        return go_to(safe_next(wanted))
    return go_to(url_for("account.show_login", next=wanted or None))


def _page(wanted: str, refusal: str = "") -> str:
    return render_template(
        "accounts/login/code.html",
        next=wanted,
        refusal=refusal,
        code_max=two_factor.CODE_MAX_LENGTH,
    )
