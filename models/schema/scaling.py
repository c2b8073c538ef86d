"""What was decided about the number of workers, and from what."""

import enum
from datetime import datetime

from sqlalchemy import CheckConstraint
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, Created, PrimaryKey, stored_as_text


class ScalingReason(enum.StrEnum):
    # More are wanted than there are, …
    DEMAND = "demand"
    # … or fewer were enough for a while.
    CALM = "calm"
    # Workers of the release before go, as those of the new one are there.
    RELEASE = "release"
    # Some of those that were to go have nothing left to do.
    DRAINED = "drained"


class ScalingDecision(Base):
    """Written when the number that ECS is asked for changes, or when workers are told to go."""

    __tablename__ = "scaling_decisions"
    __table_args__ = (
        CheckConstraint("desired >= 0 AND draining >= 0 AND demand >= 0", name="counts"),
    )

    id: Mapped[PrimaryKey]
    reason: Mapped[ScalingReason] = mapped_column(stored_as_text(ScalingReason))
    # Users whose turn ran or waited for a cell, and since when the first of them waited.
    demand: Mapped[int]
    oldest_at: Mapped[datetime | None]
    # Workers that the rule wanted; that took turns; that were on their way out, after it.
    wanted: Mapped[int]
    active: Mapped[int]
    draining: Mapped[int]
    # What ECS was asked for, before and after.
    desired_before: Mapped[int]
    desired: Mapped[int]
    created_at: Mapped[Created]
