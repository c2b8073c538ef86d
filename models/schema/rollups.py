"""Numbers of all users, added up by hour and day of UTC; see `models.ops.rollups`."""

import enum
from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, stored_as_text


class Sums:
    """What is added up of jobs and of the ledger."""

    # Jobs by when they were asked; the others by when they were over.
    messages: Mapped[int] = mapped_column(server_default="0")
    answered: Mapped[int] = mapped_column(server_default="0")
    failed: Mapped[int] = mapped_column(server_default="0")
    cancelled: Mapped[int] = mapped_column(server_default="0")
    # How long workers were at those, from the last claim to the end.
    busy_ms: Mapped[int] = mapped_column(server_default="0")
    # Charges that were not given back, by the bucket that paid them.
    revenue_micros: Mapped[int] = mapped_column(server_default="0")
    free_credit_micros: Mapped[int] = mapped_column(server_default="0")
    # What providers get, whoever pays for it.
    cost_micros: Mapped[int] = mapped_column(server_default="0")
    # Charges that were given back, and what of the cost was ours for failures.
    given_back_micros: Mapped[int] = mapped_column(server_default="0")
    absorbed_micros: Mapped[int] = mapped_column(server_default="0")
    # Money that came in, and how often; money that went back; and the part of that whose credits
    # had been used up, which takes revenue away again.
    topped_up_micros: Mapped[int] = mapped_column(server_default="0")
    top_ups: Mapped[int] = mapped_column(server_default="0")
    refunds_micros: Mapped[int] = mapped_column(server_default="0")
    gone_micros: Mapped[int] = mapped_column(server_default="0")
    granted_micros: Mapped[int] = mapped_column(server_default="0")
    # The part of that which was given for signing up.
    sign_up_granted_micros: Mapped[int] = mapped_column(server_default="0")
    # By how much all entries together changed the balance, and the granted part of it.
    moved_micros: Mapped[int] = mapped_column(server_default="0")
    moved_granted_micros: Mapped[int] = mapped_column(server_default="0")

    @property
    def margin_micros(self) -> int:
        """What is left of the revenue when providers have theirs."""
        return self.revenue_micros - self.gone_micros - self.cost_micros


class HourTotals(Sums, Base):
    __tablename__ = "hour_totals"

    begins_at: Mapped[datetime] = mapped_column(primary_key=True)
    sign_ups: Mapped[int] = mapped_column(server_default="0")
    # Who sent a message.
    active_users: Mapped[int] = mapped_column(server_default="0")


class DayTotals(Sums, Base):
    __tablename__ = "day_totals"

    begins_at: Mapped[datetime] = mapped_column(primary_key=True)
    sign_ups: Mapped[int] = mapped_column(server_default="0")
    active_users: Mapped[int] = mapped_column(server_default="0")
    # Of those who signed up on this day: who sent a message within a day, and who sent one in the
    # second week.
    activated_users: Mapped[int] = mapped_column(server_default="0")
    returned_users: Mapped[int] = mapped_column(server_default="0")
    # Who sent a message on this day or the 6, and the 29, before it; None but for the days that
    # were today when they were added up.
    active_week: Mapped[int | None]
    active_month: Mapped[int | None]


class UserDay(Sums, Base):
    """The same of one user, for the days on which there was anything."""

    __tablename__ = "user_days"
    __table_args__ = (Index("ix_user_days_begins_at_user_id", "begins_at", "user_id"),)

    user_id: Mapped[UUID] = mapped_column(
        ForeignKey("users.id", ondelete="CASCADE"), primary_key=True
    )
    begins_at: Mapped[datetime] = mapped_column(primary_key=True)


class SplitDay(Sums, Base):
    """The same of one channel and model; both are empty for what belongs to no message."""

    __tablename__ = "split_days"

    begins_at: Mapped[datetime] = mapped_column(primary_key=True)
    channel: Mapped[str] = mapped_column(primary_key=True)
    model: Mapped[str] = mapped_column(primary_key=True)


class UserMonth(Sums, Base):
    """The same of one user, by months of UTC; with what their files took at its end."""

    __tablename__ = "user_months"
    __table_args__ = (Index("ix_user_months_begins_at_user_id", "begins_at", "user_id"),)

    user_id: Mapped[UUID] = mapped_column(
        ForeignKey("users.id", ondelete="CASCADE"), primary_key=True
    )
    begins_at: Mapped[datetime] = mapped_column(primary_key=True)
    stored_bytes: Mapped[int] = mapped_column(server_default="0")


class CohortMonth(Base):
    """Of those who signed up in one month, how many there are and who sent a message in another."""

    __tablename__ = "cohort_months"

    begins_at: Mapped[datetime] = mapped_column(primary_key=True)
    cohort_at: Mapped[datetime] = mapped_column(primary_key=True)
    active_users: Mapped[int] = mapped_column(server_default="0")
    paying_users: Mapped[int] = mapped_column(server_default="0")


class UserModelMonth(Base):
    """What one user's calls of a model used and cost in a month, at one margin.

    The margin is that of the price list by which they were charged; 0 where it names none.
    """

    __tablename__ = "user_model_months"
    __table_args__ = (Index("ix_user_model_months_begins_at_user_id", "begins_at", "user_id"),)

    user_id: Mapped[UUID] = mapped_column(
        ForeignKey("users.id", ondelete="CASCADE"), primary_key=True
    )
    begins_at: Mapped[datetime] = mapped_column(primary_key=True)
    model: Mapped[str] = mapped_column(primary_key=True)
    margin_percent: Mapped[int] = mapped_column(primary_key=True)
    calls: Mapped[int] = mapped_column(server_default="0")
    tokens_in: Mapped[int] = mapped_column(server_default="0")
    tokens_out: Mapped[int] = mapped_column(server_default="0")
    tokens_cache_read: Mapped[int] = mapped_column(server_default="0")
    tokens_cache_write: Mapped[int] = mapped_column(server_default="0")
    cost_micros: Mapped[int] = mapped_column(server_default="0")
    # Charges that were not given back, whichever bucket paid them.
    charged_micros: Mapped[int] = mapped_column(server_default="0")


class Rollup(enum.StrEnum):
    HOURS = "hours"
    DAYS = "days"
    # What is added up by months from the raw rows.
    MONTHS = "months"
    # The steps of users, gathered from the raw rows.
    EVENTS = "events"
    # The last days once more, for rows that came late.
    LATE = "late"


class RollupRun(Base):
    """Up to when each kind is added up."""

    __tablename__ = "rollup_runs"

    rollup: Mapped[Rollup] = mapped_column(stored_as_text(Rollup), primary_key=True)
    rolled_until: Mapped[datetime]
