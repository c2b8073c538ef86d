"""Refunds that admins order: the row comes first, then Stripe is asked, then an event settles it.

Credits are taken back by the event alone, as for every refund: see `refunds.made`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from models.base import utc_now
from models.errors import NotFound, Refused
from models.ops import admin_actions
from models.ops.admin_actions import Change, Order
from models.payments.checkout import CENT_MICROS
from models.people.admin_roles import Permission
from models.schema.admins import AdminActionKind
from models.schema.payments import Payment, PaymentStatus, Refund
from models.schema.refund_orders import RefundOrder, RefundOrderStatus

# They still count, as Stripe has them or may have them.
ALIVE = (RefundOrderStatus.ORDERED, RefundOrderStatus.ACCEPTED)


class NothingToRefund(Refused):
    """A payment was not paid, or an amount is none in whole cents."""

    code = "nothing_to_refund"


class RefundTooLarge(Refused):
    """More would go back than the `left_micros` that are left of a payment."""

    code = "refund_too_large"


@dataclass(frozen=True)
class Unanswered:
    """An order that Stripe has not answered."""

    id: UUID
    intent_id: str
    cents: int
    ordered_at: datetime


@dataclass(frozen=True)
class OrderedRefund:
    """An order, and the refund that has come of it, if Stripe has told of that."""

    order: RefundOrder
    refund: Refund | None


def place(db: Session, order: Order, payment_id: UUID, back_micros: int | None) -> UUID | None:
    """Order that money of a payment goes back, all that is left or a part; return the order's id.

    None if it was ordered before under the same key. Refused beyond what is left, counting what
    was ordered and Stripe has not refused. The caller commits, then Stripe is asked.
    """
    payment = db.get(Payment, payment_id)
    if payment is None:
        raise NotFound
    user = admin_actions.begin(db, order, payment.user_id, needs=Permission.ACT_MONEY)
    if user is None:
        return None
    db.refresh(payment)
    if payment.status is not PaymentStatus.PAID or payment.stripe_intent_id is None:
        raise NothingToRefund
    left = left_of(db, payment)
    back = left if back_micros is None else back_micros
    if back <= 0 or back % CENT_MICROS:
        raise NothingToRefund
    if back > left:
        raise RefundTooLarge(left_micros=left)
    db.add(
        RefundOrder(id=order.key, payment_id=payment.id, back_micros=back, admin_id=order.admin.id)
    )
    after = {"refundable_micros": left - back, "back_micros": back, "payment": str(payment.id)}
    change = Change({"refundable_micros": left}, after)
    admin_actions.note(db, order, AdminActionKind.REFUND_ORDERED, user.id, change=change)
    return order.key


def left_of(db: Session, payment: Payment) -> int:
    """Return how much money of a payment may still go back, in micros."""
    back = select(func.coalesce(func.sum(Refund.back_micros), 0)).where(
        Refund.payment_id == payment.id, Refund.failed_at.is_(None)
    )
    # Of these no refund is known yet.
    on_its_way = (
        select(func.coalesce(func.sum(RefundOrder.back_micros), 0))
        .outerjoin(Refund, Refund.id == RefundOrder.stripe_refund_id)
        .where(
            RefundOrder.payment_id == payment.id,
            RefundOrder.status.in_(ALIVE),
            Refund.id.is_(None),
        )
    )
    taken = int(db.scalar(back) or 0) + int(db.scalar(on_its_way) or 0)
    return max((payment.charged_micros or 0) - taken, 0)


def list_of_user(db: Session, user_id: UUID) -> Sequence[OrderedRefund]:
    """List what was ordered of a user's payments, the latest first."""
    wanted = (
        select(RefundOrder, Refund)
        .join(Payment, Payment.id == RefundOrder.payment_id)
        .outerjoin(Refund, Refund.id == RefundOrder.stripe_refund_id)
        .where(Payment.user_id == user_id)
        .order_by(RefundOrder.created_at.desc())
    )
    return [OrderedRefund(order, refund) for order, refund in db.execute(wanted.limit(50))]


def find_unanswered(db: Session, order_id: UUID) -> Unanswered | None:
    """Find an order that Stripe has not answered; None if it has."""
    return next(iter(_unanswered(db, RefundOrder.id == order_id)), None)


def list_unanswered(db: Session, before: datetime) -> Sequence[Unanswered]:
    """List the orders from before then that Stripe has not answered, the oldest first."""
    return _unanswered(db, RefundOrder.created_at < before)


def mark_accepted(db: Session, order_id: UUID, refund_id: str) -> None:
    """Note that Stripe has taken an order, and by which id."""
    order = _lock(db, order_id)
    if order.status is RefundOrderStatus.ORDERED:
        order.status, order.stripe_refund_id = RefundOrderStatus.ACCEPTED, refund_id
        order.answered_at = utc_now()
        db.flush()


def mark_refused(db: Session, order_id: UUID) -> None:
    """Note that Stripe will not do it."""
    _end(db, order_id, RefundOrderStatus.REFUSED)


def mark_lost(db: Session, order_id: UUID) -> None:
    """Note that Stripe never heard of an order: it may be ordered anew."""
    _end(db, order_id, RefundOrderStatus.LOST)


def _end(db: Session, order_id: UUID, status: RefundOrderStatus) -> None:
    order = _lock(db, order_id)
    if order.status is RefundOrderStatus.ORDERED:
        order.status, order.answered_at = status, utc_now()
        db.flush()


def _lock(db: Session, order_id: UUID) -> RefundOrder:
    wanted = select(RefundOrder).where(RefundOrder.id == order_id).with_for_update()
    return db.scalars(wanted.execution_options(populate_existing=True)).one()


def _unanswered(db: Session, which: ColumnElement[bool]) -> Sequence[Unanswered]:
    wanted = (
        select(RefundOrder, Payment.stripe_intent_id)
        .join(Payment, Payment.id == RefundOrder.payment_id)
        .where(RefundOrder.status == RefundOrderStatus.ORDERED, which)
        .order_by(RefundOrder.created_at)
    )
    return [
        Unanswered(order.id, str(intent), order.back_micros // CENT_MICROS, order.created_at)
        for order, intent in db.execute(wanted)
    ]
