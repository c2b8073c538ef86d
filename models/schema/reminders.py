"""Reminders, the times at which they fired, and the calendar feeds that show them."""

import enum
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, DateTime, ForeignKey, Index, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, Created, PrimaryKey, stored_as_text


class ReminderKind(enum.StrEnum):
    # Words that are told as they are: no model is asked, and nothing is charged.
    REMINDER = "reminder"
    # Words that the assistant acts on, in a job that costs what it costs.
    TASK = "task"


class FiringOutcome(enum.StrEnum):
    # It was said, or a task's answer was.
    TOLD = "told"
    # A task's job is not over.
    RUNNING = "running"
    # A task found nothing of what its user wants to be told.
    NOTHING = "nothing"
    FAILED = "failed"
    # A task's user stopped it.
    STOPPED = "stopped"
    # A task was not begun: there were no credits, or its limit was reached.
    REFUSED = "refused"


class Repeats(enum.StrEnum):
    ONCE = "once"
    DAILY = "daily"
    WEEKLY = "weekly"
    MONTHLY_BY_DAY = "monthly_by_day"
    MONTHLY_BY_WEEKDAY = "monthly_by_weekday"


class ReminderStatus(enum.StrEnum):
    ACTIVE = "active"
    PAUSED = "paused"
    # It has fired for the last time, or its user was done with it before.
    ENDED = "ended"
    CANCELLED = "cancelled"


class Reminder(Base):
    """What a user wants to be told of, and when: see `models.reminders.recurrence`."""

    __tablename__ = "reminders"
    __table_args__ = (
        CheckConstraint("(status = 'active') = (due_at IS NOT NULL)", name="active_is_due"),
        CheckConstraint("every > 0", name="every_positive"),
        CheckConstraint(
            "due_at IS NOT DISTINCT FROM least(scheduled_at, snoozed_until) OR status <> 'active'",
            name="due_at_first",
        ),
        Index("uq_reminders_user_id_number", "user_id", "number", unique=True),
        Index("ix_reminders_due_at", "due_at", postgresql_where=text("status = 'active'")),
        Index("ix_reminders_conversation_id", "conversation_id"),
    )

    id: Mapped[PrimaryKey]
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    # Where it was asked for, and arrives; None for one that was made by hand.
    conversation_id: Mapped[UUID | None] = mapped_column(
        ForeignKey("conversations.id", ondelete="SET NULL")
    )
    # What the user and the assistant call it by: #1, #2.
    number: Mapped[int]
    kind: Mapped[ReminderKind] = mapped_column(stored_as_text(ReminderKind))
    words: Mapped[str]
    # Of a task: it is told only if this holds; "" for always.
    tell_only_if: Mapped[str] = mapped_column(default="", server_default="")
    # The zone whose clocks `starts_at` is read from.
    timezone: Mapped[str]
    starts_at: Mapped[datetime] = mapped_column(DateTime(timezone=False))
    repeats: Mapped[Repeats] = mapped_column(stored_as_text(Repeats))
    # Every so many days, weeks or months.
    every: Mapped[int] = mapped_column(default=1, server_default="1")
    # Monday is 0.
    weekdays: Mapped[list[int]] = mapped_column(JSONB, default=list, server_default="[]")
    month_day: Mapped[int | None]
    # Which one in a month: the first is 1, the last -1.
    month_week: Mapped[int | None]
    # The last day on which it may fire.
    until: Mapped[date | None]
    status: Mapped[ReminderStatus] = mapped_column(stored_as_text(ReminderStatus))
    # When it fires next: by its recurrence, as it was snoozed, and the earlier of both.
    scheduled_at: Mapped[datetime | None]
    snoozed_until: Mapped[datetime | None]
    due_at: Mapped[datetime | None]
    # The job that left out its next time last, and in which attempt. The job may be gone by now.
    skipped_job_id: Mapped[UUID | None]
    skipped_attempt: Mapped[int | None]
    created_at: Mapped[Created]


class ReminderFiring(Base):
    """One time at which a reminder fired."""

    __tablename__ = "reminder_firings"
    __table_args__ = (
        # However often a clock dies, a due time is told of once.
        Index("uq_reminder_firings_due_at", "reminder_id", "due_at", unique=True),
        Index("ix_reminder_firings_user_id_id", "user_id", "id"),
        Index("ix_reminder_firings_message_id", "message_id"),
        Index("ix_reminder_firings_running", "id", postgresql_where=text("outcome = 'running'")),
        Index("ix_reminder_firings_job_id", "job_id"),
        CheckConstraint("missed >= 0", name="missed_not_negative"),
        CheckConstraint(
            "(outcome = 'refused') = (refusal IS NOT NULL)", name="refused_has_refusal"
        ),
    )

    id: Mapped[PrimaryKey]
    reminder_id: Mapped[UUID] = mapped_column(ForeignKey("reminders.id", ondelete="CASCADE"))
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    # As it was said then.
    words: Mapped[str]
    due_at: Mapped[datetime]
    fired_at: Mapped[Created]
    # How many due times after this one had gone by as well.
    missed: Mapped[int] = mapped_column(default=0, server_default="0")
    message_id: Mapped[UUID | None] = mapped_column(ForeignKey("messages.id", ondelete="SET NULL"))
    done_at: Mapped[datetime | None]
    outcome: Mapped[FiringOutcome] = mapped_column(
        stored_as_text(FiringOutcome), default=FiringOutcome.TOLD, server_default="told"
    )
    # The code of why a task was not begun.
    refusal: Mapped[str | None]
    # Of a task.
    job_id: Mapped[UUID | None] = mapped_column(ForeignKey("jobs.id", ondelete="SET NULL"))
    # The attempt of the job that found nothing to tell.
    silent_attempt: Mapped[int | None]


class CalendarFeed(Base):
    """The secret link under which a calendar may read a user's reminders; only its hash is kept."""

    __tablename__ = "calendar_feeds"

    user_id: Mapped[UUID] = mapped_column(
        ForeignKey("users.id", ondelete="CASCADE"), primary_key=True
    )
    secret_hash: Mapped[bytes] = mapped_column(unique=True)
    created_at: Mapped[Created]
