"""Refunds that are ordered, and adjustments that wait for a second owner, from a user's page."""

from collections.abc import Callable
from uuid import UUID

from flask import Blueprint, render_template, request, url_for

from actions import wakeups
from actions.sentences.refusals import sentence_of
from gateways import values
from gateways.values import BadValue
from models.base import new_id
from models.database import after_commit
from models.errors import NotFound, Refused
from models.ops import adjustment_approvals
from models.ops.admin_actions import Order
from models.payments import refund_orders
from models.payments.refund_orders import NothingToRefund
from models.people.admin_roles import Permission
from models.schema.payments import Payment
from models.schema.users import User
from webapp.admin.access import allowed_to
from webapp.admin.orders import flash_done, ordered
from webapp.admin.people import address_of, render
from webapp.core.db import db
from webapp.core.htmx import Answer, go_to

pages = Blueprint("admin_money_orders", __name__)


@pages.post("/admin/payments/<uuid:payment_id>/refund")
@allowed_to(Permission.ACT_MONEY)
def refund(payment_id: UUID) -> Answer:
    """Order that money of a payment goes back: all that is left, or a part."""
    payment = db().get(Payment, payment_id)
    if payment is None:
        raise NotFound
    given = request.form.get("amount", "").strip()
    try:
        order = ordered()
        order_id = refund_orders.place(db(), order, payment_id, _micros(given))
    except NotFound:
        raise
    except Refused as refusal:
        page = render(payment.user_id, refused=f"refund-{payment_id}", refusal=sentence_of(refusal))
        return page, 422
    if order_id is not None:
        after_commit(db(), lambda: wakeups.refund(order_id))
    flash_done("The refund is ordered. Its credits go as soon as Stripe says that it is made.")
    return go_to(address_of(payment.user_id))


@pages.get("/admin/approvals")
@allowed_to(Permission.READ_MONEY)
def show() -> Answer:
    """List the adjustments that wait for a second owner."""
    return _page()


@pages.post("/admin/approvals/<uuid:adjustment_id>")
@allowed_to(Permission.ACT_MONEY)
def decide(adjustment_id: UUID) -> Answer:
    """Approve an adjustment that another owner asked for, or refuse it."""
    is_approved = request.form.get("decision") == "approve"
    verb: Callable[[Order], object] = (
        _approve(adjustment_id) if is_approved else _refuse(adjustment_id)
    )
    try:
        verb(ordered())
    except NotFound:
        raise
    except Refused as refusal:
        return _page(refused=f"decision-{adjustment_id}", refusal=sentence_of(refusal)), 422
    flash_done("The credits were adjusted." if is_approved else "The adjustment is refused.")
    return go_to(url_for("admin_money_orders.show"))


def _approve(adjustment_id: UUID) -> Callable[[Order], object]:
    def _do(order: Order) -> None:
        resumed = adjustment_approvals.approve(db(), order, adjustment_id)
        after_commit(db(), lambda: [wakeups.resumed(job) for job in resumed])

    return _do


def _refuse(adjustment_id: UUID) -> Callable[[Order], object]:
    return lambda order: adjustment_approvals.refuse(db(), order, adjustment_id)


def _page(*, refused: str = "", refusal: str = "") -> str:
    waiting = adjustment_approvals.list_open(db())
    return render_template(
        "admin/approvals/page.html",
        waiting=[(one, db().get_one(User, one.user_id)) for one in waiting],
        refused=refused,
        refusal=refusal,
        typed=request.form,
        new_key=new_id,
    )


def _micros(given: str) -> int | None:
    """Read how much is to go back; an empty field is all that is left."""
    if not given:
        return None
    try:
        return values.dollars(given)
    except BadValue:
        raise NothingToRefund from None
