"""Opening the link that verifies an address, and having it sent again.

Opening it only asks: programs that look into mail open links too, and press no button.
"""

from flask import Blueprint, Response, flash, render_template, request, url_for

from actions.sentences.refusals import sentence_of
from models import mailed_links, verification
from models.mailed_links import LinkPurpose, LinkUsedUp
from settings import get_settings
from tasks import nudges
from webapp import mail_again, newcomers
from webapp.database import db
from webapp.htmx import Answer, go_to, part
from webapp.security import address_key
from webapp.sign_in import current_user, find_current_user, login_required, refuse_anybody_but

pages = Blueprint("verification", __name__)


@pages.get("/verification")
def show() -> Answer:
    """Ask whether the address is theirs who opened the link."""
    token = request.args.get("token", "")
    try:
        link = mailed_links.find(db(), token, LinkPurpose.VERIFICATION)
    except LinkUsedUp as refusal:
        return _over(refusal), 410
    refuse_anybody_but(link.user_id)
    return render_template(
        "verification/page.html",
        token=token,
        email=link.address,
        grant_micros=get_settings().sign_up_grant_micros,
        action=url_for("verification.verify"),
    )


@pages.post("/verification")
def verify() -> Answer:
    """Verify the address, give the free credit or say why not, and open the chat."""
    token = request.form.get("token", "")
    try:
        refuse_anybody_but(mailed_links.find(db(), token, LinkPurpose.VERIFICATION).user_id)
        user = verification.verify(db(), token, network_address=request.remote_addr)
    except LinkUsedUp as refusal:
        return _over(refusal), 410
    flash(newcomers.thanks(user))
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
    nudges.mail_after_commit(db())
    return sent


@pages.get("/verification/standing")
@login_required
def show_standing() -> Answer:
    """Say whether it is still awaited; when it is not any more, the page is drawn anew."""
    if newcomers.look_at(db(), current_user()).is_awaited:
        return "", 204
    return part("", refresh="true")


def _over(refusal: LinkUsedUp) -> str:
    # Who pressed the button twice is verified, and wants to go on.
    is_known = find_current_user() is not None
    return render_template(
        "account/link_over.html",
        refusal=sentence_of(refusal),
        again=url_for("chat.show_latest" if is_known else "account.show_login"),
        again_words="Go to the chat" if is_known else "Log in",
    )
