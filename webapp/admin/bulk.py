"""Cancelling and retrying all messages of a filter: the number first, then the word."""

from uuid import UUID

from flask import Blueprint, render_template, request, url_for

from actions import wakeups
from actions.sentences.refusals import sentence_of
from gateways import values
from gateways.values import BadValue
from models.base import new_id
from models.database import after_commit
from models.errors import Refused
from models.ops import bulk_orders
from models.ops.job_list import Wanted
from models.people.admin_roles import Permission
from models.schema.bulk_orders import BulkKind
from webapp.admin import queue
from webapp.admin.access import allowed_to
from webapp.admin.orders import flash_done, ordered
from webapp.core.db import db
from webapp.core.htmx import Answer, go_to

pages = Blueprint("admin_bulk", __name__)

SHOWN_ORDERS = 10


class NotShown(Refused):
    """A form of a bulk order does not say which number was shown."""

    code = "not_shown"


@pages.get("/admin/queue/bulk")
@allowed_to(Permission.READ)
def show() -> Answer:
    """Show how many messages of a filter could be cancelled, or tried again."""
    return _page()


@pages.post("/admin/queue/bulk")
@allowed_to(Permission.ACT)
def place() -> Answer:
    """Order it for what was shown; workers do it batch by batch."""
    kind = next((one for one in BulkKind if one == request.form.get("kind")), BulkKind.CANCEL)
    wanted = _in_form()
    before, number = request.form.get("before"), request.form.get("shown")
    try:
        before_id, shown = _shown(before, number)
        order = ordered()
        bulk_orders.place(db(), order, kind, wanted, before_id=before_id, shown=shown)
    except Refused as refusal:
        return _page(refused=kind.value, refusal=sentence_of(refusal)), 422
    after_commit(db(), lambda: wakeups.bulk(order.key))
    flash_done("Ordered. It is done within seconds; the list below says how far it is.")
    return go_to(url_for("admin_bulk.show"))


def _shown(before: str | None, number: str | None) -> tuple[UUID, int]:
    try:
        return values.uuid(before), values.integer(number)
    except BadValue:
        raise NotShown from None


def _in_form() -> Wanted:
    form = request.form
    return queue.filtered(form.get("state"), form.get("code"), form.get("model"))


def _page(*, refused: str = "", refusal: str = "") -> str:
    wanted = _in_form() if request.method == "POST" else queue.in_query()
    before_id = new_id()
    counts = {kind: bulk_orders.count(db(), kind, wanted, before_id) for kind in BulkKind}
    return render_template(
        "admin/queue/bulk.html",
        wanted=wanted,
        before_id=before_id,
        counts=counts,
        most=bulk_orders.MOST,
        orders=bulk_orders.list_recent(db(), SHOWN_ORDERS),
        refused=refused,
        refusal=refusal,
        typed=request.form,
        new_key=new_id,
    )
