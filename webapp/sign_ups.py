"""Between signing up and the link in the mail: a browser that waits, and the page of the link.

The browser's cookie names what it asked for, which says nothing of whether there is an account.
"""

from uuid import UUID

from flask import Blueprint, Response, flash, render_template, request, session, url_for

from gateways import values
from models import sign_ups
from models.mailed_links import LinkUsedUp
from models.sign_ups import HasAccount, SignUp
from settings import get_settings
from tasks import nudges
from webapp import mail_again, newcomers
from webapp.database import db
from webapp.htmx import Answer, go_to
from webapp.security import address_key, limiter, login_limit
from webapp.shares import network
from webapp.sign_in import LinkOfAnother, find_current_user, forget, log_in

pages = Blueprint("sign_ups", __name__)

_KEY = "sign_up"


def await_mail(sign_up: SignUp) -> None:
    """Let this browser, which forgets what it was before, go on once the mail has been opened."""
    forget()
    session[_KEY] = str(sign_up.id)
    session.permanent = True


def find_pending() -> SignUp | None:
    """Return what this browser has signed up for, unless somebody is logged in or it is over."""
    waits_for = session.get(_KEY)
    if not waits_for or find_current_user() is not None:
        return None
    return sign_ups.find(db(), values.uuid(waits_for))


@pages.get("/signup/waiting")
def wait() -> Answer:
    """Ask a newcomer to look into their mail; go on if they have done so elsewhere."""
    waiting = find_pending()
    if waiting is None:
        return go_to(url_for("chat.show_latest" if find_current_user() else "account.show_signup"))
    if _goes_on(waiting.id):
        return go_to(url_for("chat.show_latest"))
    return render_template(
        "account/waiting.html", email=waiting.address, mailbox_url=get_settings().mailbox_url
    )


@pages.get("/signup/standing")
def show_standing() -> Answer:
    """Say whether the mail is still awaited; when it is not any more, go on."""
    waiting = find_pending()
    if waiting is not None and not _goes_on(waiting.id):
        return "", 204
    return go_to(url_for("sign_ups.wait"))


def _awaited_address() -> str:
    waiting = find_pending()
    return address_key(waiting.address) if waiting else network()


@pages.post("/signup/mail")
@mail_again.limited("sign_ups.wait", _awaited_address)
def send_again() -> Response:
    """Have the same mail sent again to the address that this browser signed up with."""
    waiting = find_pending()
    if waiting is None:
        return go_to(url_for("account.show_signup"))
    sent = mail_again.press(
        lambda: sign_ups.mail_again(waiting), to=waiting.address, page="sign_ups.wait"
    )
    nudges.mail_after_commit(db())
    return sent


@pages.get("/signup/confirmation")
def show_link() -> Answer:
    """Ask whether the address is theirs who opened the link."""
    token = request.args.get("token", "")
    try:
        sign_up = _find_link(token)
    except LinkUsedUp as refusal:
        return _over(refusal), 410
    return render_template(
        "verification/page.html",
        token=token,
        email=sign_up.address,
        grant_micros=get_settings().sign_up_grant_micros,
        action=url_for("sign_ups.confirm"),
    )


@pages.post("/signup/confirmation")
@limiter.limit(login_limit)
def confirm() -> Answer:
    """Begin the account; the browser that signed up goes on with it, any other may log in."""
    token = request.form.get("token", "")
    try:
        _find_link(token)
        sign_up = sign_ups.confirm(db(), token, network_address=request.remote_addr)
    except LinkUsedUp as refusal:
        return _over(refusal), 410
    except HasAccount as refusal:
        return _over(refusal, "You have an account"), 409
    is_here = session.get(_KEY) == str(sign_up.id) and _goes_on(sign_up.id)
    if is_here:
        return go_to(url_for("chat.show_latest"))
    flash("Your address is confirmed. Go on where you signed up, or log in here.")
    return go_to(url_for("account.show_login"))


def _find_link(token: str) -> SignUp:
    sign_up = sign_ups.find_link(db(), token)
    if find_current_user() is not None:
        raise LinkOfAnother
    return sign_up


def _goes_on(sign_up_id: UUID) -> bool:
    user = sign_ups.go_on(db(), sign_up_id)
    if user is None:
        return False
    log_in(user)
    flash(newcomers.thanks(user))
    return True


def _over(refusal: LinkUsedUp | HasAccount, title: str = "This link does not work") -> str:
    is_known = find_current_user() is not None
    return render_template(
        "account/link_over.html",
        title=title,
        refusal=str(refusal),
        again=url_for("chat.show_latest" if is_known else "account.show_login"),
        again_words="Go to the chat" if is_known else "Log in",
    )
