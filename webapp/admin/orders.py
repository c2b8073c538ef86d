"""What the forms of admins' actions have in common: a reason, a confirmation, a key."""

from flask import request

from gateways import values
from models.errors import Refused
from models.ops.admin_actions import Order
from webapp.core.auth import current_user


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
    return Order(current_user(), request.form.get("reason", ""), key)
