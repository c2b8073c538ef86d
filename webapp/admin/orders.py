"""What the forms of admins' actions have in common: a reason, a confirmation, a key."""

from flask import flash, g, request

from gateways import values
from models.errors import Refused
from models.ops import admin_actions
from models.ops.admin_actions import Order
from models.translation import gettext, marked
from webapp.core.auth import current_user
from webapp.core.db import db

AGAIN = marked(
    "This form was sent before, and done then; nothing more has changed now. For another change,"
    " please use a new form."
)


class NotConfirmed(Refused):
    """The box that confirms an action was not ticked."""

    code = "not_confirmed"


def ordered() -> Order:
    """Read who asks for an action, why, and under which key.

    Raises BadValue for a key that is none, NotConfirmed while the box is not ticked.
    """
    key = values.uuid(request.form.get("key"))
    if request.form.get("confirmed") != "yes":
        raise NotConfirmed
    g.was_done_before = admin_actions.is_done(db(), key)
    return Order(current_user(), request.form.get("reason", ""), key)


def flash_done(words: str) -> None:
    """Say on the next page that what was ordered is done; of a form that came again, so much."""
    flash(gettext(AGAIN) if g.get("was_done_before") else words)
