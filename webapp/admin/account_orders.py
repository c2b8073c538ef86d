"""What admins do to an account beyond its credits, from its page."""

from uuid import UUID

from flask import Blueprint, request

from actions import wakeups
from gateways import values
from models.errors import NotFound
from models.ops import account_orders
from models.ops.admin_actions import Order
from models.people.admin_roles import Permission
from webapp.admin.access import allowed_to
from webapp.admin.user_actions import act
from webapp.core.db import db
from webapp.core.htmx import Answer

pages = Blueprint("admin_account_orders", __name__)


@pages.post("/admin/people/<uuid:user_id>/limits")
@allowed_to(Permission.ACT)
def reset_limits(user_id: UUID) -> Answer:
    """Take away the limits that a user has set."""

    def _reset(order: Order) -> None:
        account_orders.reset_limits(db(), order, user_id)

    return act(user_id, "limits", _reset, "The limits are the usual ones again.")


@pages.post("/admin/people/<uuid:user_id>/cell")
@allowed_to(Permission.ACT)
def end_cell(user_id: UUID) -> Answer:
    """End a user's hot cell."""

    def _end(order: Order) -> None:
        account_orders.end_cell(db(), order, user_id)

    return act(user_id, "cell", _end, "The cell ends within seconds, or after the turn in it.")


@pages.post("/admin/people/<uuid:user_id>/snapshot")
@allowed_to(Permission.ACT)
def restore_snapshot(user_id: UUID) -> Answer:
    """Make an older version of a user's files the newest one."""

    snapshot_id = values.uuid_or_none(request.form.get("snapshot"))

    def _restore(order: Order) -> None:
        if snapshot_id is None:
            raise NotFound
        account_orders.restore_snapshot(db(), order, user_id, snapshot_id)

    return act(user_id, "snapshot", _restore, "The next message finds these files.")


@pages.post("/admin/people/<uuid:user_id>/deletion")
@allowed_to(Permission.ACT_MONEY)
def order_deletion(user_id: UUID) -> Answer:
    """Have the account erased after the usual days."""

    def _order(order: Order) -> None:
        account_orders.order_deletion(db(), order, user_id)
        wakeups.mail_after_commit(db())

    return act(
        user_id, "deletion", _order, "The account will be erased. Until then it can be kept."
    )


@pages.post("/admin/people/<uuid:user_id>/deletion-undo")
@allowed_to(Permission.ACT)
def undo_deletion(user_id: UUID) -> Answer:
    """Keep the account after all."""

    def _undo(order: Order) -> None:
        account_orders.undo_deletion(db(), order, user_id)

    return act(user_id, "deletion", _undo, "The account stays.")
