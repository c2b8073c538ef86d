"""Changing what one logs in with: the password, and the e-mail address."""

from flask import Blueprint, flash, render_template, request, url_for

from actions import wakeups
from actions.sentences.refusals import sentence_of
from models.errors import Refused
from models.people import email_change, email_tokens, password_reset
from models.people.email_change import OtherBrowser
from models.people.email_tokens import LinkUsedUp
from models.schema.email_tokens import EmailToken, LinkPurpose
from webapp.accounts import preferences
from webapp.core.auth import (
    current_session,
    current_user,
    find_current_session,
    log_out,
    member_required,
    refuse_anybody_but,
)
from webapp.core.db import db
from webapp.core.htmx import Answer, go_to
from webapp.core.security import address_in_form, limit_mails, limiter, login_limit, mail_limit

pages = Blueprint("credentials", __name__)


def _person() -> str:
    return f"person:{current_user().id}"


@pages.post("/settings/password")
@member_required
@limiter.limit(login_limit, key_func=_person)
def change_password() -> Answer:
    """Change the password, which logs every other browser out; refuse a wrong old one."""
    old, new = request.form.get("old-password", ""), request.form.get("new-password", "")
    try:
        password_reset.change(db(), current_user(), old=old, new=new, keep=current_session().id)
    except Refused as refusal:
        return preferences.page(refusal=sentence_of(refusal), section="password-change"), 422
    wakeups.mail_after_commit(db())
    return preferences.saved(
        "Your new password is set. Every other browser is logged out.", "password-change"
    )


@pages.post("/settings/address")
@member_required
@limiter.limit(mail_limit, key_func=_person)
@limit_mails(address_in_form)
def ask_address() -> Answer:
    """Mail a link to a new address; refusals keep the address that was typed."""
    email = request.form.get("email", "")
    password = request.form.get("address-password", "")
    try:
        address = email_change.ask(db(), current_session(), password=password, email=email)
    except Refused as refusal:
        page = preferences.page(refusal=sentence_of(refusal), section="address", new_email=email)
        return page, 422
    wakeups.mail_after_commit(db())
    return preferences.saved(f"We have sent a link to {address}.", "address")


@pages.get("/address")
def show_address() -> Answer:
    """Ask whether the new address is theirs who opened the link, in the browser that asked."""
    token = request.args.get("token", "")
    try:
        link = _link_of_this_browser(token)
    except LinkUsedUp as refusal:
        return _over(refusal), 410
    except OtherBrowser as refusal:
        return _elsewhere(refusal), 403
    return render_template(
        "accounts/credentials/address.html", token=token, new_address=link.address
    )


@pages.post("/address")
def take_address() -> Answer:
    """Take the new address; refuse one that another account has got meanwhile."""
    token = request.form.get("token", "")
    try:
        _link_of_this_browser(token)
        user = email_change.change(
            db(), token, find_current_session(), network_address=request.remote_addr
        )
    except LinkUsedUp as refusal:
        return _over(refusal), 410
    except OtherBrowser as refusal:
        return _elsewhere(refusal), 403
    wakeups.mail_after_commit(db())
    flash(f"From now on you log in with {user.email}.")
    return go_to(url_for("chat.show_latest"))


@pages.get("/address/undo")
def show_undoing() -> Answer:
    """Ask whoever reads the mail of the old address whether the change was theirs."""
    token = request.args.get("token", "")
    try:
        link = email_tokens.find(db(), token, LinkPurpose.ADDRESS_UNDO)
    except LinkUsedUp as refusal:
        return _over_for_good(refusal), 410
    return render_template("accounts/credentials/undo.html", token=token, old_address=link.address)


@pages.post("/address/undo")
@limiter.limit(login_limit)
def undo_address() -> Answer:
    """Give the account back to its old address and let its owner choose a new password."""
    try:
        secret = email_change.undo(db(), request.form.get("token", ""))
    except LinkUsedUp as refusal:
        return _over_for_good(refusal), 410
    # Whoever is logged in here is logged out with all the others, or is somebody else.
    log_out()
    wakeups.mail_after_commit(db())
    return go_to(url_for("password_reset.show_choice", token=secret))


def _link_of_this_browser(token: str) -> EmailToken:
    link = email_tokens.find(db(), token, LinkPurpose.ADDRESS_CHANGE)
    refuse_anybody_but(link.user_id)
    return email_change.find_for(db(), token, find_current_session())


def _elsewhere(refusal: OtherBrowser) -> str:
    return render_template(
        "accounts/login/link_over.html",
        title="Not in this browser",
        refusal=sentence_of(refusal),
        again="",
    )


def _over_for_good(refusal: LinkUsedUp) -> str:
    return render_template(
        "accounts/login/link_over.html",
        refusal=sentence_of(refusal),
        again=url_for("password_reset.show"),
        again_words="Choose a new password",
    )


def _over(refusal: LinkUsedUp) -> str:
    return render_template(
        "accounts/login/link_over.html",
        refusal=sentence_of(refusal),
        again=url_for("preferences.show", _anchor="address"),
        again_words="Go to the settings",
    )
