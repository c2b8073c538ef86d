"""Between signing up and the link in the mail: a browser that waits, and the page of the link.

The browser's cookie names what it asked for, which says nothing of whether there is an account.
"""

from hashlib import sha256
from uuid import UUID

from flask import Blueprint, Response, flash, render_template, request, session, url_for

from actions import trial_status, wakeups
from actions.sentences.refusals import sentence_of
from gateways import values
from models.ops import switches
from models.people import sign_ups
from models.people.email_tokens import LinkUsedUp
from models.people.invitations import InvitationOver
from models.people.sign_ups import HasAccount, NotItsPassword
from models.people.users import BadPassword
from models.schema.sign_ups import SignUp
from models.schema.users import User
from settings import get_settings
from webapp.accounts import mail_again
from webapp.core.auth import LinkOfAnother, find_current_user, forget, log_in
from webapp.core.db import db
from webapp.core.htmx import Answer, go_to
from webapp.core.security import address_key, limiter, login_limit
from webapp.core.shares import network

pages = Blueprint("sign_ups", __name__)

_KEY = "sign_up"


def await_mail(sign_up: SignUp) -> None:
    """Let this browser, which forgets what it was before, go on once the mail has been opened."""
    forget()
    session[_KEY] = str(sign_up.id)
    session.permanent = True


def _asked_here() -> UUID | None:
    """Return what this browser has signed up for, if anything."""
    return values.uuid_or_none(session.get(_KEY))


def find_pending() -> SignUp | None:
    """Return what this browser has signed up for, unless somebody is logged in or it is over."""
    waits_for = _asked_here()
    if waits_for is None or find_current_user() is not None:
        return None
    return sign_ups.find(db(), waits_for)


@pages.get("/signup/waiting")
def wait() -> Answer:
    """Ask a newcomer to look into their mail; go on if they have done so elsewhere."""
    waiting = find_pending()
    if waiting is None:
        return go_to(url_for("chat.show_latest" if find_current_user() else "account.show_signup"))
    if _goes_on(waiting.id):
        return go_to(url_for("chat.show_latest"))
    return render_template(
        "accounts/login/waiting.html", email=waiting.address, mailbox_url=get_settings().mailbox_url
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
    wakeups.mail_after_commit(db())
    return sent


def _guessed_link() -> str:
    """Name the sign-up whose password is guessed, without keeping the secret of its link."""
    return "sign-up:" + sha256(request.form.get("token", "").encode()).hexdigest()[:32]


@pages.get("/signup/confirmation")
def show_link() -> Answer:
    """Ask whether the address is theirs who opened the link."""
    return _link_page(request.args.get("token", ""))


@pages.post("/signup/confirmation")
@limiter.limit(login_limit, key_func=_guessed_link)
@limiter.limit(login_limit)
def confirm() -> Answer:
    """Begin the account in the browser that signed up, or in one where its password is typed.

    The browser that signed up goes on with it, as does this one.
    """
    token, here = request.form.get("token", ""), _asked_here()
    try:
        sign_up = _find_link(token)
        user = sign_ups.confirm(
            *(db(), token),
            browser=here,
            password=request.form.get("password", ""),
            network_address=request.remote_addr,
        )
    except NotItsPassword as refusal:
        return _link_page(token, sentence_of(refusal))
    except (LinkUsedUp, HasAccount, InvitationOver) as refusal:
        return _over(refusal)
    if sign_up.id != here or not _goes_on(sign_up.id):
        _welcome(user)
    return go_to(url_for("chat.show_latest"))


@pages.post("/signup/confirmation/password")
@limiter.limit(login_limit)
def choose_own() -> Answer:
    """Begin the account with a password chosen here, whatever was typed when signing up."""
    token = request.form.get("token", "")
    try:
        _find_link(token)
        user = sign_ups.confirm_as_own(
            db(), token, request.form.get("new-password", ""), network_address=request.remote_addr
        )
    except BadPassword as refusal:
        return _link_page(token, sentence_of(refusal))
    except (LinkUsedUp, HasAccount, InvitationOver) as refusal:
        return _over(refusal)
    _welcome(user)
    return go_to(url_for("chat.show_latest"))


def _link_page(token: str, refusal: str = "") -> Answer:
    """Ask in the browser that signed up for a button, in all others for its password."""
    try:
        sign_up = _find_link(token)
    except LinkUsedUp as over:
        return _over(over)
    page = render_template(
        "accounts/verification/page.html"
        if sign_up.id == _asked_here()
        else "accounts/login/confirm_elsewhere.html",
        token=token,
        email=sign_up.address,
        refusal=refusal,
        grant_micros=switches.current(db()).sign_up_grant_micros,
        action=url_for("sign_ups.confirm"),
    )
    return page, 422 if refusal else 200


def _find_link(token: str) -> SignUp:
    sign_up = sign_ups.find_link(db(), token)
    if find_current_user() is not None:
        raise LinkOfAnother
    return sign_up


def _goes_on(sign_up_id: UUID) -> bool:
    user = sign_ups.go_on(db(), sign_up_id)
    if user is None:
        return False
    _welcome(user)
    return True


def _welcome(user: User) -> None:
    log_in(user)
    flash(trial_status.thanks(user))


def _over(refusal: LinkUsedUp | HasAccount | InvitationOver) -> tuple[str, int]:
    is_known, has_account = find_current_user() is not None, isinstance(refusal, HasAccount)
    page = render_template(
        "accounts/login/link_over.html",
        title="You have an account" if has_account else "This link does not work",
        refusal=sentence_of(refusal),
        again=url_for("chat.show_latest" if is_known else "account.show_login"),
        again_words="Go to the chat" if is_known else "Log in",
    )
    return page, 409 if has_account else 410
