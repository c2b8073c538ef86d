"""Changing what one logs in with: the password, and the e-mail address."""

from flask import Blueprint, flash, render_template, request, url_for

from models import mailed_links, readdressing, resetting
from models.errors import Refused
from models.mailed_links import LinkPurpose, LinkUsedUp
from settings import get_settings
from tasks import nudges
from webapp import preferences
from webapp.database import db
from webapp.htmx import Answer, go_to
from webapp.security import limiter, login_limit, mail_limit
from webapp.sign_in import current_session, current_user, member_required, refuse_anybody_but

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
        resetting.change(db(), current_user(), old=old, new=new, keep=current_session().id)
    except Refused as refusal:
        return preferences.page(refusal=str(refusal), section="password-change"), 422
    nudges.mail_after_commit(db())
    return preferences.saved(
        "Your new password is set. Every other browser is logged out.", "password-change"
    )


@pages.post("/settings/address")
@member_required
@limiter.limit(mail_limit, key_func=_person)
def ask_address() -> Answer:
    """Mail a link to a new address; refusals keep the address that was typed."""
    email = request.form.get("email", "")
    password = request.form.get("address-password", "")
    try:
        address = readdressing.ask(db(), current_user(), password=password, email=email)
    except Refused as refusal:
        page = preferences.page(refusal=str(refusal), section="address", new_email=email)
        return page, 422
    nudges.mail_after_commit(db())
    mailbox = get_settings().mailbox_url
    where = f" Its mail can be read at {mailbox}." if mailbox else ""
    return preferences.saved(f"We have sent a link to {address}.{where}", "address")


@pages.get("/address")
def show_address() -> Answer:
    """Ask whether the new address is theirs who opened the link."""
    token = request.args.get("token", "")
    try:
        link = mailed_links.find(db(), token, LinkPurpose.ADDRESS_CHANGE)
    except LinkUsedUp as refusal:
        return _over(refusal), 410
    refuse_anybody_but(link.user_id)
    return render_template("credentials/address.html", token=token, new_address=link.address)


@pages.post("/address")
def take_address() -> Answer:
    """Take the new address; refuse one that another account has got meanwhile."""
    token = request.form.get("token", "")
    try:
        refuse_anybody_but(mailed_links.find(db(), token, LinkPurpose.ADDRESS_CHANGE).user_id)
        user = readdressing.change(db(), token, network_address=request.remote_addr)
    except LinkUsedUp as refusal:
        return _over(refusal), 410
    nudges.mail_after_commit(db())
    flash(f"From now on you log in with {user.email}.")
    return go_to(url_for("chat.show_latest"))


def _over(refusal: LinkUsedUp) -> str:
    return render_template(
        "account/link_over.html",
        refusal=str(refusal),
        again=url_for("preferences.show", _anchor="address"),
        again_words="Go to the settings",
    )
