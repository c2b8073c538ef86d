"""Signing up while not everybody may: the code of an invitation, and the waiting list."""

from dataclasses import dataclass

from flask import Blueprint, flash, render_template, request, session, url_for

from actions import wakeups
from actions.sentences.refusals import sentence_of
from models.errors import Refused
from models.ops.switches import SignUpRule
from models.people import admission, invitations, waiting_list
from models.people.invitations import InvitationOver
from models.schema.invitations import Invitation
from webapp.core.db import db
from webapp.core.htmx import Answer, go_to
from webapp.core.security import address_in_form, limit_mails, limiter, signup_limit

pages = Blueprint("invitations", __name__)

_KEY = "invitation"


@dataclass(frozen=True)
class Door:
    """Whether whoever asks may begin an account, and the invitation with which they come."""

    rule: SignUpRule
    invitation: Invitation | None
    # A code was typed that does not count.
    is_refused: bool

    @property
    def is_open(self) -> bool:
        if self.rule is SignUpRule.INVITE_ONLY:
            return self.invitation is not None
        return self.rule is SignUpRule.OPEN


def door() -> Door:
    """Tell who may begin an account now, of the one who asks."""
    code, rule = typed_code(), admission.rule(db())
    if not code.strip() or rule is SignUpRule.CLOSED:
        return Door(rule, None, is_refused=False)
    try:
        return Door(rule, invitations.find(db(), code), is_refused=False)
    except InvitationOver:
        return Door(rule, None, is_refused=True)


def closed_page(found: Door, refusal: str = "") -> str:
    """Draw the page of who may not begin an account just now: a code, or the waiting list."""
    if found.is_refused and not refusal:
        refusal = sentence_of(InvitationOver())
    return render_template(
        "accounts/login/invited.html",
        takes_codes=found.rule is SignUpRule.INVITE_ONLY,
        refusal=refusal,
        code=typed_code(),
        email=request.form.get("email", ""),
    )


@pages.post("/waiting-list")
@limit_mails(address_in_form)
@limiter.limit(signup_limit)
def wait() -> Answer:
    """Put the address on the waiting list; say the same whether it is new there."""
    found = door()
    if found.is_open:
        return go_to(url_for("account.show_signup"))
    try:
        waiting_list.join(db(), request.form.get("email", ""))
    except Refused as refusal:
        return closed_page(found, sentence_of(refusal)), 422
    wakeups.mail_after_commit(db())
    flash("You are on the list. We will write to you as soon as there is room.")
    return go_to(url_for("account.show_signup"))


def typed_code() -> str:
    """Return the code that came with the form or the link, as it was typed."""
    typed = request.form.get("invitation") or request.args.get("invitation", "")
    return typed[: invitations.TYPED_MAX_LENGTH]


def remember(code: str) -> None:
    """Keep a code in this browser while it is at Google's page; an empty one forgets."""
    if code:
        session[_KEY] = code
    else:
        session.pop(_KEY, None)


def remembered() -> str:
    """Return the code that this browser had when it left for Google's page."""
    return str(session.get(_KEY, ""))
