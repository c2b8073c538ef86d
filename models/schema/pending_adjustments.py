"""Adjustments that are more than one admin may do alone, and wait for another owner."""

import enum
from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, Created, PrimaryKey, stored_as_text


class AdjustmentStatus(enum.StrEnum):
    ASKED = "asked"
    APPROVED = "approved"
    REFUSED = "refused"


class PendingAdjustment(Base):
    __tablename__ = "pending_adjustments"
    __table_args__ = (
        CheckConstraint("amount_micros <> 0", name="amount_not_zero"),
        CheckConstraint(
            "(status = 'asked') = (decided_at IS NULL AND decided_by_id IS NULL)",
            name="decided_by_somebody",
        ),
        CheckConstraint(
            "status <> 'approved' OR decided_by_id <> asked_by_id", name="approved_by_another"
        ),
        Index(
            "ix_pending_adjustments_asked",
            "created_at",
            postgresql_where=text("status = 'asked'"),
        ),
    )

    # The key of the form that asked for it.
    id: Mapped[PrimaryKey]
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    # What is given, or taken when it is negative.
    amount_micros: Mapped[int]
    reason: Mapped[str]
    status: Mapped[AdjustmentStatus] = mapped_column(
        stored_as_text(AdjustmentStatus), default=AdjustmentStatus.ASKED
    )
    # As in the audit log, without foreign keys.
    asked_by_id: Mapped[UUID]
    asked_by_email: Mapped[str]
    decided_by_id: Mapped[UUID | None]
    created_at: Mapped[Created]
    # From then on nobody can approve it any more.
    expires_at: Mapped[datetime]
    decided_at: Mapped[datetime | None]
