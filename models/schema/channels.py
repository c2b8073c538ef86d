"""Messengers of users: whose is whose, what came in from them, and what goes out to them."""

import enum
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Identity, Index, func, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, Created, Details, PrimaryKey, stored_as_text


class ChannelAccount(Base):
    """A user's account with a messenger; the user has one with each, and it has one user."""

    __tablename__ = "channel_accounts"
    __table_args__ = (
        Index("uq_channel_accounts_outside", "channel", "account_id", unique=True),
        Index("uq_channel_accounts_user", "user_id", "channel", unique=True),
        Index("ix_channel_accounts_conversation_id", "conversation_id"),
        # Admins look for users by them.
        Index("ix_channel_accounts_account_id", "account_id"),
        Index(
            "ix_channel_accounts_name_trigrams",
            func.lower(text("name")).label("lowered"),
            postgresql_using="gin",
            postgresql_ops={"lowered": "gin_trgm_ops"},
        ),
    )

    id: Mapped[PrimaryKey]
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    channel: Mapped[str]
    # The messenger's own id of the account, and of the chat in which it is written to.
    account_id: Mapped[str]
    address: Mapped[str]
    # As the messenger shows it.
    name: Mapped[str]
    # What is written there goes on in this conversation, which is shown there; None begins one.
    conversation_id: Mapped[UUID | None] = mapped_column(
        ForeignKey("conversations.id", ondelete="SET NULL")
    )
    linked_at: Mapped[Created]
    # The user blocked us there; nothing is sent until they write again.
    blocked_at: Mapped[datetime | None]


class ChannelLink(Base):
    """A code that links a messenger, made on one side and used once on the other.

    A user's code is handed in by whoever opens it in the messenger; that of an account with a
    messenger is confirmed by whoever is logged in. Only its hash is kept.
    """

    __tablename__ = "channel_links"
    __table_args__ = (
        CheckConstraint("(user_id IS NULL) <> (account_id IS NULL)", name="made_on_one_side"),
        CheckConstraint("(account_id IS NULL) = (address IS NULL)", name="account_has_address"),
        Index("ix_channel_links_expires_at", "expires_at"),
        Index("ix_channel_links_user_id", "user_id"),
    )

    id: Mapped[PrimaryKey]
    channel: Mapped[str]
    secret_hash: Mapped[bytes] = mapped_column(unique=True)
    user_id: Mapped[UUID | None] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    account_id: Mapped[str | None]
    address: Mapped[str | None]
    name: Mapped[str] = mapped_column(default="", server_default="")
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]
    created_at: Mapped[Created]


class UpdateStatus(enum.StrEnum):
    # It is handled as soon as what came before it has been, and its files are fetched.
    WAITING = "waiting"
    # It became a message only if the user agrees to what that may cost.
    ASKED = "asked"
    DONE = "done"
    # It was answered with why not.
    REFUSED = "refused"
    # It was tried as often as we try.
    FAILED = "failed"


class ChannelUpdate(Base):
    """What came in from a messenger. Its words are dropped once it has been handled."""

    __tablename__ = "channel_updates"
    __table_args__ = (
        Index("uq_channel_updates_external_id", "channel", "external_id", unique=True),
        Index("ix_channel_updates_number", "channel", "number"),
        Index(
            "ix_channel_updates_waiting",
            "channel",
            "account_id",
            "place",
            postgresql_where=text("status = 'waiting'"),
        ),
        Index("ix_channel_updates_message", "channel", "account_id", "message_id"),
        Index("ix_channel_updates_job_id", "job_id"),
        Index("ix_channel_updates_received_at", "received_at"),
        CheckConstraint("status <> 'waiting' OR payload IS NOT NULL", name="waiting_has_payload"),
    )

    id: Mapped[PrimaryKey]
    channel: Mapped[str]
    external_id: Mapped[str]
    # Where a messenger numbers what it hands in without gaps.
    number: Mapped[int | None]
    # Updates of one account are handled by this, smallest first.
    place: Mapped[int]
    # The outside account; "" for what is nobody's, such as a group.
    account_id: Mapped[str]
    message_id: Mapped[str | None]
    group_id: Mapped[str | None]
    status: Mapped[UpdateStatus] = mapped_column(stored_as_text(UpdateStatus))
    payload: Mapped[dict[str, Any] | None] = mapped_column(JSONB)
    # Files that wait for the user's word, and what was agreed.
    details: Mapped[Details]
    attempts: Mapped[int] = mapped_column(default=0, server_default="0")
    ready_at: Mapped[datetime]
    # What became of it.
    job_id: Mapped[UUID | None] = mapped_column(ForeignKey("jobs.id", ondelete="SET NULL"))
    received_at: Mapped[Created]
    handled_at: Mapped[datetime | None]


class DeliveryKind(enum.StrEnum):
    # The answer of a job, from its first word to its last, or why there is none.
    ANSWER = "answer"
    # What the user wrote elsewhere in the conversation that their messenger shows.
    QUESTION = "question"
    # A sentence of the product: `content` has its code.
    NOTICE = "notice"
    # A press of a button is acknowledged.
    ACKNOWLEDGEMENT = "acknowledgement"
    # We leave a group.
    LEAVING = "leaving"


class DeliveryStatus(enum.StrEnum):
    WAITING = "waiting"
    SENT = "sent"
    FAILED = "failed"
    # The user unlinked or blocked the messenger before, or what it was about has gone.
    CANCELLED = "cancelled"


class Lane(enum.StrEnum):
    """Deliveries of one lane of a chat go out one after the other."""

    CONVERSATION = "conversation"
    # What answers a command or a button does not wait for an answer that is being written.
    REPLIES = "replies"


class Delivery(Base):
    """Something that goes out to a messenger; see `models.channels.deliveries`."""

    __tablename__ = "deliveries"
    __table_args__ = (
        CheckConstraint("(kind = 'answer') = (job_id IS NOT NULL)", name="answer_has_job"),
        CheckConstraint("(status = 'waiting') = (finished_at IS NULL)", name="over_has_time"),
        Index("uq_deliveries_reference", "reference", unique=True),
        Index(
            "ix_deliveries_waiting",
            "channel",
            "address",
            "lane",
            "number",
            postgresql_where=text("status = 'waiting'"),
        ),
        Index("ix_deliveries_user_id_id", "user_id", "id"),
        Index("ix_deliveries_job_id", "job_id"),
        Index("ix_deliveries_account", "channel_account_id", "id"),
        Index("ix_deliveries_finished_at", "finished_at"),
    )

    id: Mapped[PrimaryKey]
    # The order of a lane. Answers are added under the lock of their user's account.
    number: Mapped[int] = mapped_column(Identity(always=True))
    channel: Mapped[str]
    address: Mapped[str]
    # None for who has no account with us.
    channel_account_id: Mapped[UUID | None] = mapped_column(
        ForeignKey("channel_accounts.id", ondelete="SET NULL")
    )
    user_id: Mapped[UUID | None] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    lane: Mapped[Lane] = mapped_column(stored_as_text(Lane))
    kind: Mapped[DeliveryKind] = mapped_column(stored_as_text(DeliveryKind))
    job_id: Mapped[UUID | None] = mapped_column(ForeignKey("jobs.id", ondelete="CASCADE"))
    message_id: Mapped[UUID | None] = mapped_column(ForeignKey("messages.id", ondelete="CASCADE"))
    # A notice's code, details and buttons.
    content: Mapped[dict[str, Any]] = mapped_column(JSONB, default=dict, server_default="{}")
    # What causes a delivery names it: causing it twice sends it once.
    reference: Mapped[str]
    status: Mapped[DeliveryStatus] = mapped_column(
        stored_as_text(DeliveryStatus), default=DeliveryStatus.WAITING
    )
    # How often it was claimed; with the id, the proof that it is still one's own.
    attempts: Mapped[int] = mapped_column(default=0, server_default="0")
    failures: Mapped[int] = mapped_column(default=0, server_default="0")
    # When it may be claimed: at once, when its lease ends, or after a wait between two tries.
    ready_at: Mapped[Created]
    # The message in which the answer grows, and the parts that have been sent for good.
    preview_id: Mapped[str | None]
    sent_ids: Mapped[list[str]] = mapped_column(JSONB, default=list, server_default="[]")
    # The user has been told that the job waits for credits.
    has_told_paused: Mapped[bool] = mapped_column(default=False, server_default="false")
    failure: Mapped[str | None]
    created_at: Mapped[Created]
    finished_at: Mapped[datetime | None]
