"""Alerts, each shown until it is dismissed."""

import enum
from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, Created, PrimaryKey, stored_as_text
from models.schema.failure_codes import FailureCode

# A message ended at the limit although something was left of it: too little.
NEARLY = 99


class AlertKind(enum.StrEnum):
    DAY = "day"
    MONTH = "month"
    BALANCE = "balance"
    # Charges stand for what failed, or nothing more is answered: so much we carry in a day.
    ABSORBED = "absorbed"


# How a message ends that reaches the limit.
REACHED_BY = {
    AlertKind.DAY: FailureCode.DAY_LIMIT,
    AlertKind.MONTH: FailureCode.MONTH_LIMIT,
}


class Alert(Base):
    __tablename__ = "alerts"
    __table_args__ = (
        UniqueConstraint("user_id", "kind", "period_begins", "limit_micros", "percent"),
        Index("ix_alerts_open", "user_id", postgresql_where=text("dismissed_at IS NULL")),
    )

    id: Mapped[PrimaryKey]
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    kind: Mapped[AlertKind] = mapped_column(stored_as_text(AlertKind))
    # How much of the limit is spent, or `NEARLY`; 100 for the other kinds.
    percent: Mapped[int]
    limit_micros: Mapped[int]
    # The day or month, of UTC for what we carry; for the balance, when credits came last.
    period_begins: Mapped[datetime]
    dismissed_at: Mapped[datetime | None]
    created_at: Mapped[Created]

    @property
    def about(self) -> tuple[AlertKind, int, datetime]:
        """Which limit it is about, in which period."""
        return self.kind, self.limit_micros, self.period_begins

    @property
    def is_of_limit(self) -> bool:
        """Whether it is about a limit that its person has set, and not about their credits."""
        return self.kind in REACHED_BY
