"""Signing up, logging in and out."""

from flask import Blueprint, Response, g, render_template, request, url_for

from actions import wakeups
from actions.sentences.refusals import sentence_of
from models.errors import Refused
from models.ops import switches
from models.people import sign_ups, users, verification
from models.people.users import SignUpRefused
from webapp.accounts import google_flow, invitations
from webapp.accounts.google_flow import Purpose
from webapp.accounts.sign_ups import await_mail
from webapp.core.auth import (
    find_awaiting_code,
    find_current_user,
    log_in,
    log_out,
    safe_next,
)
from webapp.core.db import commit_and_release, db
from webapp.core.htmx import Answer, go_to
from webapp.core.security import (
    address_in_form,
    guessed_account,
    guessing_visitor,
    limit_mails,
    limiter,
    login_limit,
    signup_limit,
)

pages = Blueprint("account", __name__)


def _mailed(_: Response) -> bool:
    """Whether the sign-up that is being answered has sent somebody a mail."""
    return g.get("has_mailed", False)


@pages.get("/signup")
def show_signup() -> Answer:
    """Offer an account; who has one open already goes on to it."""
    return go_to(url_for("onboarding.show")) if find_current_user() else signup_page()


@pages.post("/signup")
@limit_mails(address_in_form, deduct_when=_mailed)
@limiter.limit(signup_limit, key_func=address_in_form)
@limiter.limit(signup_limit)
def sign_up() -> Answer:
    """Take a newcomer in; refusals keep what was typed.

    By mail, it only notes what was asked: the answer is the same for addresses that have an
    account. At once, it creates the account, mails its address a link and logs this browser in.
    """
    try:
        _take_in(request.form.get("email", ""), request.form.get("password", ""))
    except SignUpRefused as refusal:
        sign_ups.tell_owner(db(), request.form.get("email", ""))
        _mail()
        commit_and_release()
        return signup_page(sentence_of(refusal)), 422
    except Refused as refusal:
        return signup_page(sentence_of(refusal)), 422
    _mail()
    return go_to(url_for("onboarding.show"))


def _mail() -> None:
    g.has_mailed = True
    wakeups.mail_after_commit(db())


def _take_in(email: str, password: str) -> None:
    code, here = invitations.typed_code(), request.remote_addr
    if sign_ups.is_by_mail():
        await_mail(sign_ups.ask(db(), email, password, code=code, network_address=here))
        return
    user = sign_ups.at_once(db(), email, password, code=code, network_address=here)
    log_in(user)
    verification.send_link(db(), user)


@pages.get("/login")
def show_login() -> Answer:
    """Ask who it is."""
    wanted = request.args.get("next", "")
    if find_awaiting_code() is not None:
        return go_to(url_for("login_code.show", next=wanted or None))
    return go_to(safe_next(wanted)) if find_current_user() else login_page(wanted)


@pages.post("/login")
@limiter.limit(login_limit, key_func=guessed_account)
@limiter.limit(login_limit, key_func=guessing_visitor)
def log_into() -> Answer:
    """Log this browser in and send it where it wanted to go."""
    try:
        user = users.authenticate(
            db(), request.form.get("email", ""), request.form.get("password", "")
        )
        log_in(user)
    except Refused as refusal:
        return login_page(request.values.get("next", ""), sentence_of(refusal)), 422
    if find_awaiting_code() is not None:
        return go_to(url_for("login_code.show", next=request.values.get("next") or None))
    return go_to(safe_next(request.values.get("next")))


@pages.get("/logout")
def show_logout() -> Answer:
    """Ask before logging out: a link or a picture elsewhere must not do it."""
    if find_current_user() is None:
        return go_to(url_for("landing.show"))
    return render_template("accounts/login/logout.html")


@pages.post("/logout")
def leave() -> Response:
    """Log this browser out."""
    log_out()
    return go_to(url_for("landing.show"))


def signup_page(refusal: str = "") -> str:
    """Draw the page on which an account is asked for, with what was typed.

    Or, while not everybody may begin one, that on which a code is typed or one's turn awaited.
    """
    door = invitations.door()
    if not door.is_open:
        return invitations.closed_page(door, refusal)
    return render_template(
        "accounts/login/signup.html",
        refusal=refusal,
        email=request.form.get("email", ""),
        grant_micros=switches.current(db()).sign_up_grant_micros,
        google_purpose=google_flow.offered(Purpose.SIGN_UP),
        invitation=door.invitation,
    )


def login_page(next_page: str, refusal: str = "") -> str:
    """Draw the page on which people log in, on their way to `next_page`."""
    return render_template(
        "accounts/login/login.html",
        refusal=refusal,
        email=request.form.get("email", ""),
        next=next_page,
        google_purpose=google_flow.offered(Purpose.LOG_IN),
    )
