"""An address at Google that an account here has already: its password or a mailed link connects it.

The browser holds what Google vouched for. Nobody gets here who has not shown Google that the
address is theirs, so the pages may say that there is an account.
"""

from flask import Blueprint, flash, render_template, request, url_for

from actions import wakeups
from actions.sentences.refusals import sentence_of
from models.errors import Refused
from models.people import email_tokens, provider_sign_in, users
from models.people.email_tokens import LinkUsedUp
from models.people.identities import ProvenIdentity
from models.people.provider_sign_in import NotTheBrowserThatAsked
from models.schema.email_tokens import LinkPurpose
from models.schema.users import User
from settings import get_settings
from webapp.accounts import google_flow
from webapp.accounts.google_flow import AttemptOver
from webapp.core.auth import log_in, refuse_anybody_but, safe_next
from webapp.core.db import db
from webapp.core.htmx import Answer, go_to
from webapp.core.security import address_key, limit_mails, limiter, login_limit
from webapp.core.shares import network

pages = Blueprint("google_connection", __name__)


def _held_address() -> str:
    held = google_flow.find_held()
    return address_key(users.normal_address(held[0].email)) if held else network()


@pages.get("/login/google/connection")
def show() -> Answer:
    """Ask for the password of the account that has this address, or offer a link by mail."""
    return _page()


@pages.post("/login/google/connection")
@limiter.limit(login_limit, key_func=_held_address)
@limiter.limit(login_limit)
def connect() -> Answer:
    """Connect the account by its password, and log this browser in."""
    held = google_flow.find_held()
    if held is None:
        return _page()
    proven, next_page = held
    password = request.form.get("password", "")
    try:
        user = provider_sign_in.connect_by_password(
            db(), proven, password, network_address=request.remote_addr
        )
    except Refused as refusal:
        return _page(sentence_of(refusal))
    return _welcome(user, next_page)


@pages.post("/login/google/mail")
@limit_mails(_held_address)
@limiter.limit(login_limit)
def mail() -> Answer:
    """Mail a link that connects the account, to be opened in this browser."""
    held = google_flow.find_held()
    if held is None:
        return _page()
    try:
        provider_sign_in.send_link(db(), held[0])
    except Refused as refusal:
        return _page(sentence_of(refusal))
    wakeups.mail_after_commit(db())
    return render_template(
        "accounts/google/link_asked.html",
        email=held[0].email,
        mailbox_url=get_settings().mailbox_url,
    )


@pages.get("/login/google/confirmation")
def show_link() -> Answer:
    """Ask whether the Google account is theirs who opened the link."""
    token = request.args.get("token", "")
    try:
        proven, _ = _of_link(token)
    except (LinkUsedUp, NotTheBrowserThatAsked) as refusal:
        return _over(refusal)
    return render_template("accounts/google/confirm.html", token=token, email=proven.email)


@pages.post("/login/google/confirmation")
@limiter.limit(login_limit)
def confirm() -> Answer:
    """Connect the account whose mail was read, and log this browser in."""
    token = request.form.get("token", "")
    try:
        proven, next_page = _of_link(token)
        user = provider_sign_in.connect_by_link(
            db(), token, proven, network_address=request.remote_addr
        )
    except (LinkUsedUp, NotTheBrowserThatAsked) as refusal:
        return _over(refusal)
    return _welcome(user, next_page)


def _of_link(token: str) -> tuple[ProvenIdentity, str]:
    """Return what a link connects here; refuse that of another account or another browser."""
    link = email_tokens.find(db(), token, LinkPurpose.GOOGLE_CONNECTION)
    refuse_anybody_but(link.user_id)
    held = google_flow.find_held()
    if held is None:
        raise NotTheBrowserThatAsked
    provider_sign_in.check_link(db(), token, held[0])
    return held


def _welcome(user: User, next_page: str) -> Answer:
    log_in(user)
    wakeups.mail_after_commit(db())
    flash("Google is connected. It opens your account from now on.")
    return go_to(safe_next(next_page))


def _page(refusal: str = "") -> Answer:
    held = google_flow.find_held()
    if held is None:
        page = render_template(
            "accounts/login/link_over.html",
            title="Please begin again",
            refusal=sentence_of(AttemptOver()),
            again=url_for("account.show_login"),
            again_words="Log in",
        )
        return page, 410
    page = render_template("accounts/google/connection.html", email=held[0].email, refusal=refusal)
    return page, 422 if refusal else 200


def _over(refusal: LinkUsedUp | NotTheBrowserThatAsked) -> Answer:
    is_elsewhere = isinstance(refusal, NotTheBrowserThatAsked)
    page = render_template(
        "accounts/login/link_over.html",
        title="Not in this browser" if is_elsewhere else "This link does not work",
        refusal=sentence_of(refusal),
        again=url_for("account.show_login"),
        again_words="Log in",
    )
    return page, 403 if is_elsewhere else 410
