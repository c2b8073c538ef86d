"""Notifications: what users are told of while they are away, and by which ways."""

import enum
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, Created, PrimaryKey, stored_as_text


class Topic(enum.StrEnum):
    """What a user chooses ways for. Security mail and receipts are no topic: they always come."""

    # A reminder, at the time that its user set.
    REMINDERS = "reminders"
    # What came of a task, or why it was not begun.
    TASKS = "tasks"
    # Money: low credits, limits, an automatic top-up that failed.
    ALERTS = "alerts"
    # An answer that took long, and that nobody watched; an export.
    LONG_WORK = "long_work"


class NotificationPreference(Base):
    """The ways that a user chose for a topic; without a row the usual ones hold.

    One that was not offered then, such as a messenger that was linked later, follows what is usual.
    """

    __tablename__ = "notification_preferences"

    user_id: Mapped[UUID] = mapped_column(
        ForeignKey("users.id", ondelete="CASCADE"), primary_key=True
    )
    topic: Mapped[Topic] = mapped_column(stored_as_text(Topic), primary_key=True)
    # "email", "push", or the name of a channel.
    ways: Mapped[list[str]] = mapped_column(JSONB)
    # Those that were offered and not chosen.
    declined: Mapped[list[str]] = mapped_column(JSONB, default=list, server_default="[]")


class Notification(Base):
    """Something that a user is told once, whatever the ways. Its words go once it is over.

    It waits for `ready_at`: the end of quiet hours, the day's collected mail, or a look at whether
    any of its ways has reached its user.
    """

    __tablename__ = "notifications"
    __table_args__ = (
        CheckConstraint("(dispatched_at IS NULL) = (content IS NOT NULL)", name="held_has_content"),
        Index("ix_notifications_held", "ready_at", postgresql_where=text("dispatched_at IS NULL")),
        Index("ix_notifications_user_id_id", "user_id", "id"),
        Index("ix_notifications_message_id", "message_id"),
        Index(
            "ix_notifications_mailed",
            "user_id",
            "mailed_at",
            postgresql_where=text("mailed_at IS NOT NULL"),
        ),
    )

    id: Mapped[PrimaryKey]
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    topic: Mapped[Topic] = mapped_column(stored_as_text(Topic))
    # What causes a notification names it: causing it twice tells it once.
    reference: Mapped[str] = mapped_column(unique=True)
    # The message that it tells of: whoever deletes that takes it back.
    message_id: Mapped[UUID | None] = mapped_column(ForeignKey("messages.id", ondelete="CASCADE"))
    # SQL's null, not JSON's, once it is over.
    content: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    # When it is looked at next.
    ready_at: Mapped[datetime]
    # When it was handed to the outboxes of its ways; it is over once one of them has reached its
    # user, or it was mailed at last.
    handed_over_at: Mapped[datetime | None]
    # There were as many mails that day as there may be: it goes with the others that wait.
    collected_at: Mapped[datetime | None]
    # When a mail was written for it.
    mailed_at: Mapped[datetime | None]
    # When it was over.
    dispatched_at: Mapped[datetime | None]
    created_at: Mapped[Created]


class PushSubscription(Base):
    """A browser that shows notifications, as long as its session is live."""

    __tablename__ = "push_subscriptions"
    __table_args__ = (
        Index("ix_push_subscriptions_user_id", "user_id"),
        Index("ix_push_subscriptions_session_id", "session_id"),
    )

    id: Mapped[PrimaryKey]
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    session_id: Mapped[UUID] = mapped_column(ForeignKey("user_sessions.id", ondelete="CASCADE"))
    # An address at the browser's push service: who knows it and the keys can write to the browser.
    endpoint: Mapped[str] = mapped_column(unique=True)
    # The browser's public key and its secret, in base64url; what it is sent is encrypted with them.
    p256dh: Mapped[str]
    auth: Mapped[str]
    # How many pushes in a row its push service refused.
    failures: Mapped[int] = mapped_column(default=0, server_default="0")
    created_at: Mapped[Created]
    last_used_at: Mapped[datetime | None]


class PushStatus(enum.StrEnum):
    WAITING = "waiting"
    SENT = "sent"
    FAILED = "failed"


class Push(Base):
    """A notification on its way to one browser; see `models.notifications.pushes`."""

    __tablename__ = "pushes"
    __table_args__ = (
        CheckConstraint("(status = 'waiting') = (next_try_at IS NOT NULL)", name="waiting_has_try"),
        CheckConstraint("(status = 'waiting') = (content IS NOT NULL)", name="words_are_not_kept"),
        Index("uq_pushes_once", "subscription_id", "reference", unique=True),
        Index("ix_pushes_due", "next_try_at", postgresql_where=text("status = 'waiting'")),
    )

    id: Mapped[PrimaryKey]
    subscription_id: Mapped[UUID] = mapped_column(
        ForeignKey("push_subscriptions.id", ondelete="CASCADE")
    )
    reference: Mapped[str]
    # What the browser shows: `title`, `text`, `url`.
    content: Mapped[dict[str, str] | None] = mapped_column(JSONB(none_as_null=True))
    status: Mapped[PushStatus] = mapped_column(
        stored_as_text(PushStatus), default=PushStatus.WAITING
    )
    # How often it was claimed; with the id, the proof that it is still one's own.
    attempts: Mapped[int] = mapped_column(default=0, server_default="0")
    next_try_at: Mapped[datetime | None]
    failure: Mapped[str | None]
    created_at: Mapped[Created]
    finished_at: Mapped[datetime | None]
