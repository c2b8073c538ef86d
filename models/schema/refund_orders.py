"""Refunds that admins order: Stripe is asked for each after its row is there."""

import enum
from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, Created, PrimaryKey, stored_as_text


class RefundOrderStatus(enum.StrEnum):
    # Stripe has not answered yet.
    ORDERED = "ordered"
    # Stripe has taken it; its credits go when Stripe tells so by an event.
    ACCEPTED = "accepted"
    # Stripe will not do it.
    REFUSED = "refused"
    # It never reached Stripe.
    LOST = "lost"


class RefundOrder(Base):
    __tablename__ = "refund_orders"
    __table_args__ = (
        CheckConstraint("back_micros > 0", name="back_positive"),
        CheckConstraint(
            "(status = 'accepted') = (stripe_refund_id IS NOT NULL)", name="accepted_has_id"
        ),
        Index("ix_refund_orders_open", "id", postgresql_where=text("status = 'ordered'")),
    )

    # The key of the form; Stripe's idempotency key is made of it.
    id: Mapped[PrimaryKey]
    payment_id: Mapped[UUID] = mapped_column(ForeignKey("payments.id"), index=True)
    # The money that is to go back, taxes included.
    back_micros: Mapped[int]
    status: Mapped[RefundOrderStatus] = mapped_column(
        stored_as_text(RefundOrderStatus), default=RefundOrderStatus.ORDERED
    )
    stripe_refund_id: Mapped[str | None] = mapped_column(unique=True)
    admin_id: Mapped[UUID]
    created_at: Mapped[Created]
    answered_at: Mapped[datetime | None]
