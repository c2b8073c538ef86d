"""Choosing a new password with a link that was mailed."""

from flask import Blueprint, flash, render_template, request, url_for

from actions import wakeups
from actions.sentences.refusals import sentence_of
from models.errors import Refused
from models.people import email_tokens, password_reset
from models.people.email_tokens import LinkUsedUp
from models.people.users import BadPassword
from models.schema.email_tokens import LinkPurpose
from settings import get_settings
from webapp.core.auth import log_in, refuse_anybody_but
from webapp.core.db import db
from webapp.core.htmx import Answer, go_to
from webapp.core.security import address_in_form, limit_mails, limiter, login_limit

pages = Blueprint("password_reset", __name__)


@pages.get("/password/reset")
def show() -> Answer:
    """Ask for the address whose password is forgotten."""
    return _ask_page()


@pages.post("/password/reset")
@limit_mails(address_in_form)
@limiter.limit(login_limit)
def ask() -> Answer:
    """Note the request; the answer is the same whether or not somebody has this address."""
    email = request.form.get("email", "")
    try:
        password_reset.ask(db(), email)
    except Refused as refusal:
        return _ask_page(sentence_of(refusal)), 422
    wakeups.mail_after_commit(db())
    return render_template(
        "accounts/login/reset_asked.html",
        email=email.strip(),
        mailbox_url=get_settings().mailbox_url,
    )


@pages.get("/password/new")
def show_choice() -> Answer:
    """Let whoever opened the link choose a password."""
    return _choice_page(request.args.get("token", ""))


@pages.post("/password/new")
@limiter.limit(login_limit)
def choose() -> Answer:
    """Set the password, log every browser out and this one in."""
    token = request.form.get("token", "")
    try:
        refuse_anybody_but(email_tokens.find(db(), token, LinkPurpose.PASSWORD_RESET).user_id)
        user = password_reset.choose(
            db(), token, request.form.get("password", ""), network_address=request.remote_addr
        )
    except LinkUsedUp as refusal:
        return _over(refusal), 410
    except BadPassword as refusal:
        return _choice_page(token, sentence_of(refusal))
    log_in(user)
    wakeups.mail_after_commit(db())
    flash("Your new password is set. Every other browser is logged out.")
    return go_to(url_for("chat.show_latest"))


def _ask_page(refusal: str = "") -> str:
    return render_template(
        "accounts/login/forgotten.html", refusal=refusal, email=request.form.get("email", "")
    )


def _choice_page(token: str, refusal: str = "") -> tuple[str, int]:
    try:
        link = email_tokens.find(db(), token, LinkPurpose.PASSWORD_RESET)
    except LinkUsedUp as over:
        return _over(over), 410
    refuse_anybody_but(link.user_id)
    page = render_template(
        "accounts/login/new_password.html", refusal=refusal, token=token, email=link.address
    )
    return page, 422 if refusal else 200


def _over(refusal: LinkUsedUp) -> str:
    return render_template(
        "accounts/login/link_over.html",
        refusal=sentence_of(refusal),
        again=url_for("password_reset.show"),
        again_words="Ask for a new link",
    )
