"""Steps that users have taken with the product: codes and times, nothing that they wrote."""

import enum
from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, PrimaryKey, stored_as_text


class ProductEventKind(enum.StrEnum):
    """A step, which each user takes once: the first time counts."""

    SIGNED_UP = "signed_up"
    VERIFIED = "verified"
    ONBOARDED = "onboarded"
    FIRST_MESSAGE = "first_message"
    FIRST_ANSWER = "first_answer"
    MESSENGER_LINKED = "messenger_linked"
    FIRST_REMINDER = "first_reminder"
    FIRST_TOP_UP = "first_top_up"


class ProductEvent(Base):
    __tablename__ = "product_events"
    __table_args__ = (
        Index("uq_product_events_user_id_kind", "user_id", "kind", unique=True),
        Index("ix_product_events_kind_happened_at", "kind", "happened_at"),
        Index("ix_product_events_to_forward", "id", postgresql_where=text("forwarded_at IS NULL")),
    )

    id: Mapped[PrimaryKey]
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    kind: Mapped[ProductEventKind] = mapped_column(stored_as_text(ProductEventKind))
    happened_at: Mapped[datetime]
    # When the analytics service took it; None while it has not, or where there is none.
    forwarded_at: Mapped[datetime | None]


class FunnelDay(Base):
    """Of those who signed up on a day of UTC: how many have taken a step by now."""

    __tablename__ = "funnel_days"

    begins_at: Mapped[datetime] = mapped_column(primary_key=True)
    kind: Mapped[ProductEventKind] = mapped_column(
        stored_as_text(ProductEventKind), primary_key=True
    )
    users: Mapped[int]
