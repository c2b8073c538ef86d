"""Continuing with Google: to Google's page, and back from it."""

from flask import Blueprint, flash, request, url_for

from actions import trial_status, wakeups
from actions.sentences.refusals import sentence_of
from models.errors import Refused
from models.people import identities, provider_sign_in
from models.people.identities import ProvenIdentity
from models.people.provider_sign_in import AddressKnown
from webapp.accounts import google_flow, invitations, login, preferences
from webapp.accounts.google_flow import Attempt, AttemptOver, GoogleUntrusted, Purpose
from webapp.core.auth import find_current_session, log_in, safe_next
from webapp.core.db import db
from webapp.core.htmx import Answer, go_to
from webapp.core.security import limiter, login_limit

pages = Blueprint("google", __name__)

# What Google answers when somebody goes back.
CANCELLED = "access_denied"


@pages.post("/login/google")
@limiter.limit(login_limit)
def start() -> Answer:
    """Send a stranger to Google's page, on which they choose an account."""
    is_new = request.form.get("purpose") == Purpose.SIGN_UP
    purpose = Purpose.SIGN_UP if is_new else Purpose.LOG_IN
    next_page = request.form.get("next", "")
    invitations.remember(invitations.typed_code())
    try:
        return go_to(google_flow.begin(purpose, next_page=next_page))
    except Refused as refusal:
        return _refused(purpose, next_page, refusal)


@pages.get("/login/google/return")
@limiter.limit(login_limit)
def come_back() -> Answer:
    """Where Google sends browsers back: log in, sign up or connect, or say why not."""
    code, error = request.args.get("code", ""), request.args.get("error", "")
    try:
        attempt = google_flow.take(request.args.get("state", ""))
    except AttemptOver as refusal:
        return _refused(_usual_purpose(), "", refusal)
    if error == CANCELLED:
        return go_to(_where_from(attempt))
    try:
        if not code:
            raise GoogleUntrusted
        proven = google_flow.finish(attempt, code)
        return _connect(attempt, proven) if attempt.session_id else _let_in(attempt, proven)
    except Refused as refusal:
        return _refused(attempt.purpose, attempt.next_page, refusal)


def _let_in(attempt: Attempt, proven: ProvenIdentity) -> Answer:
    try:
        entry = provider_sign_in.enter(
            db(), proven, network_address=request.remote_addr, code=invitations.remembered()
        )
    except AddressKnown:
        google_flow.hold(proven, attempt.next_page)
        return go_to(url_for("google_connection.show"))
    log_in(entry.user)
    if entry.is_new:
        flash(trial_status.thanks(entry.user))
    return go_to(safe_next(attempt.next_page) if entry.user.is_onboarded else _introduction())


def _introduction() -> str:
    return url_for("onboarding.show")


def _connect(attempt: Attempt, proven: ProvenIdentity) -> Answer:
    """Connect the account of the login that set out for it, and of no other one."""
    here = find_current_session()
    if here is None or str(here.id) != attempt.session_id:
        raise AttemptOver
    identities.connect(db(), here.user_id, proven)
    wakeups.mail_after_commit(db())
    return preferences.saved("Google is connected. It opens your account from now on.", "google")


def _usual_purpose() -> Purpose:
    """What a browser is likely to have wanted whose attempt is not known."""
    return Purpose.CONNECT if find_current_session() else Purpose.LOG_IN


def _where_from(attempt: Attempt) -> str:
    if attempt.purpose is Purpose.CONNECT:
        return url_for("preferences.show", _anchor="google")
    if attempt.purpose is Purpose.SIGN_UP:
        return url_for("account.show_signup")
    return url_for("account.show_login", next=attempt.next_page or None)


def _refused(purpose: Purpose, next_page: str, refusal: Refused) -> tuple[str, int]:
    """Say why on the page that the browser came from; nothing has changed."""
    if purpose is Purpose.CONNECT and find_current_session() is not None:
        return preferences.page(refusal=sentence_of(refusal), section="google"), 422
    if purpose is Purpose.SIGN_UP:
        return login.signup_page(sentence_of(refusal)), 422
    return login.login_page(next_page, sentence_of(refusal)), 422
