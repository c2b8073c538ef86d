"""Deleting one's account, in the settings, and keeping it after all."""

from flask import Blueprint, request

from actions import wakeups
from actions.sentences.refusals import sentence_of
from models import ledger
from models.errors import Refused
from models.people import account_deletion, users
from webapp.accounts import preferences
from webapp.core.auth import current_user, login_required, member_required
from webapp.core.db import db
from webapp.core.formats import local_day
from webapp.core.htmx import Answer
from webapp.core.security import limiter, login_limit

pages = Blueprint("deletion", __name__)


class NotAgreed(Refused):
    """The box that says what is lost was not ticked."""

    code = "not_agreed"


def _person() -> str:
    return f"person:{current_user().id}"


@pages.post("/settings/deletion")
@member_required
@limiter.limit(login_limit, key_func=_person)
def order() -> Answer:
    """Have the account erased after some days, for whoever types its password and agrees."""
    try:
        if request.form.get("agreed") != "yes":
            raise NotAgreed
        if current_user().has_password:
            users.check_password(current_user(), request.form.get("deletion-password", ""))
        user = ledger.lock_account(db(), current_user().id)
        account_deletion.order(db(), user)
    except Refused as refusal:
        return preferences.page(refusal=sentence_of(refusal), section="deletion"), 422
    wakeups.mail_after_commit(db())
    due = local_day(user.deletion_due_at) if user.deletion_due_at else ""
    return preferences.saved(f"Your account will be deleted on {due}.", "deletion")


@pages.post("/settings/deletion/undo")
@login_required
def undo() -> Answer:
    """Keep the account after all."""
    try:
        account_deletion.undo(ledger.lock_account(db(), current_user().id))
    except Refused as refusal:
        return preferences.page(refusal=sentence_of(refusal), section="deletion"), 422
    return preferences.saved("Your account stays. Welcome back.", "deletion")
