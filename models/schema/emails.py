"""The outbox: mails that wait to be sent."""

import enum
from datetime import datetime

from sqlalchemy import CheckConstraint, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, Created, PrimaryKey, stored_as_text


class EmailKind(enum.StrEnum):
    SIGN_UP = "sign_up"
    SIGN_UP_KNOWN = "sign_up_known"
    VERIFICATION = "verification"
    PASSWORD_RESET = "password_reset"  # noqa: S105  # a kind of letter
    PASSWORD_CHANGED = "password_changed"  # noqa: S105
    ADDRESS_CHANGE = "address_change"
    ADDRESS_CHANGE_ASKED = "address_change_asked"
    ADDRESS_CHANGED = "address_changed"
    GOOGLE_CONNECTION = "google_connection"
    GOOGLE_CONNECTED = "google_connected"
    GOOGLE_DISCONNECTED = "google_disconnected"
    TWO_FACTOR_CHANGED = "two_factor_changed"
    ACCOUNT_DELETION = "account_deletion"
    CHANNEL_LINKED = "channel_linked"
    RECEIPT = "receipt"
    ALERT = "alert"
    LONG_WORK = "long_work"
    REMINDER = "reminder"
    TASK_RESULT = "task_result"
    # Several notifications, beyond the mails of a day.
    COLLECTED = "collected"
    WAITING_LISTED = "waiting_listed"
    INVITATION = "invitation"


class EmailStatus(enum.StrEnum):
    QUEUED = "queued"
    SENT = "sent"
    FAILED = "failed"


class Email(Base):
    __tablename__ = "emails"
    __table_args__ = (
        CheckConstraint("(status = 'sent') = (sent_at IS NOT NULL)", name="sent_has_time"),
        CheckConstraint(
            "(status = 'queued') = (next_try_at IS NOT NULL)", name="queued_has_next_try"
        ),
        # Links in them open accounts.
        CheckConstraint(
            "status = 'queued' OR (text_body = '' AND html_body = '')", name="words_are_not_kept"
        ),
        Index("ix_emails_due", "next_try_at", postgresql_where=text("status = 'queued'")),
    )

    id: Mapped[PrimaryKey]
    recipient: Mapped[str]
    kind: Mapped[EmailKind] = mapped_column(stored_as_text(EmailKind))
    subject: Mapped[str]
    text_body: Mapped[str]
    html_body: Mapped[str]
    # What causes a mail names it: causing it twice sends it once.
    reference: Mapped[str] = mapped_column(unique=True)
    status: Mapped[EmailStatus] = mapped_column(
        stored_as_text(EmailStatus), default=EmailStatus.QUEUED
    )
    attempts: Mapped[int] = mapped_column(default=0, server_default="0")
    next_try_at: Mapped[datetime | None]
    sent_at: Mapped[datetime | None]
    # Why the last attempt failed, in the server's words.
    failure: Mapped[str | None]
    created_at: Mapped[Created]
