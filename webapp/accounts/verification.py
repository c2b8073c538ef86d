"""Opening the link that verifies an address, and having it sent again.

Opening it only asks: programs that look into mail open links too, and press no button.
"""

from flask import Blueprint, Response, flash, render_template, request, url_for

from actions import trial_status, wakeups
from actions.sentences.refusals import sentence_of
from models.ops import switches
from models.people import email_tokens, verification
from models.people.email_tokens import LinkUsedUp
from models.schema.email_tokens import LinkPurpose
from models.translation import gettext
from webapp.accounts import mail_again
from webapp.core.auth import (
    current_user,
    find_current_user,
    login_required,
    refuse_anybody_but,
    to_login,
)
from webapp.core.db import db
from webapp.core.htmx import Answer, go_to, part
from webapp.core.security import address_key

pages = Blueprint("verification", __name__)


@pages.get("/verification")
def show() -> Answer:
    """Ask whether the address is theirs who opened the link.

    A stranger logs in first: they may only read the mail of an address that somebody else has
    signed up with, and would open that account to them. Who forgot the password, or never chose
    one, begins anew with another.
    """
    token = request.args.get("token", "")
    try:
        link = email_tokens.find(db(), token, LinkPurpose.VERIFICATION)
    except LinkUsedUp as refusal:
        return _over(refusal), 410
    refuse_anybody_but(link.user_id)
    if find_current_user() is None:
        flash(gettext("Log in to confirm your address, or choose a new password if you have none."))
        return to_login()
    return render_template(
        "accounts/verification/page.html",
        token=token,
        email=link.address,
        grant_micros=switches.current(db()).sign_up_grant_micros,
        action=url_for("verification.verify"),
    )


@pages.post("/verification")
def verify() -> Answer:
    """Verify the address, give the free credit or say why not, and open the chat."""
    token = request.form.get("token", "")
    if find_current_user() is None:
        return to_login()
    try:
        refuse_anybody_but(email_tokens.find(db(), token, LinkPurpose.VERIFICATION).user_id)
        user = verification.verify(db(), token, network_address=request.remote_addr)
    except LinkUsedUp as refusal:
        return _over(refusal), 410
    flash(trial_status.thanks(user))
    return go_to(url_for("chat.show_latest"))


@pages.post("/verification/mail")
@login_required
@mail_again.limited("chat.show_latest", lambda: address_key(current_user().email))
def send_again() -> Response:
    """Send another link to the address of whoever asks, if it is still to be verified."""
    user = current_user()
    sent = mail_again.press(
        lambda: verification.send_link(db(), user), to=user.email, page="chat.show_latest"
    )
    wakeups.mail_after_commit(db())
    return sent


@pages.get("/verification/standing")
@login_required
def show_standing() -> Answer:
    """Say whether it is still awaited; when it is not any more, the page is drawn anew."""
    if trial_status.read_status(db(), current_user()).is_awaited:
        return "", 204
    return part("", refresh="true")


def _over(refusal: LinkUsedUp) -> str:
    # Who pressed the button twice is verified, and wants to go on.
    is_known = find_current_user() is not None
    return render_template(
        "accounts/login/link_over.html",
        refusal=sentence_of(refusal),
        again=url_for("chat.show_latest" if is_known else "account.show_login"),
        again_words="Go to the chat" if is_known else "Log in",
    )
