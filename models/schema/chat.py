"""Conversations and their messages."""

import enum
from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, Index, literal, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from models.base import Base, Created, PrimaryKey, stored_as_text
from models.schema.uploads import Upload

# The channel that is ours.
WEB = "web"
# What was said elsewhere, and came with an archive; no job of ours wrote the answers.
IMPORT = "import"
# What a task of the user's asks when it is due.
TASK = "task"


class Role(enum.StrEnum):
    USER = "user"
    ASSISTANT = "assistant"


# Stands in a statement as it is. PostgreSQL comes to plan once for all values of a parameter, and
# such a plan could not use `uq_messages_answer`, which has answers alone.
ASSISTANT = literal(Role.ASSISTANT, stored_as_text(Role), literal_execute=True)


class Conversation(Base):
    __tablename__ = "conversations"
    __table_args__ = (
        Index(
            "ix_conversations_user_id_updated_at",
            "user_id",
            "updated_at",
            postgresql_where=text("deleted_at IS NULL"),
        ),
    )

    id: Mapped[PrimaryKey]
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    # Empty until the first message names it.
    title: Mapped[str] = mapped_column(default="", server_default="")
    created_at: Mapped[Created]
    updated_at: Mapped[Created]
    # Otherwise nothing of it is noted, nor told in other conversations.
    is_remembered: Mapped[bool] = mapped_column(default=True, server_default="true")
    # When a message of it was deleted: the assistant has lost all of it since, and is told what is
    # left.
    forgotten_at: Mapped[datetime | None]
    # A file was deleted, and what was read of it still stands in the words.
    has_lost_files: Mapped[bool] = mapped_column(default=False, server_default="false")
    # The texts are deleted for good; the row stays, as the books point to its jobs.
    deleted_at: Mapped[datetime | None]


class Message(Base):
    __tablename__ = "messages"
    __table_args__ = (
        Index("ix_messages_conversation_id_id", "conversation_id", "id"),
        # However often a job is tried, it is answered once.
        Index(
            "uq_messages_answer",
            "job_id",
            unique=True,
            postgresql_where=text("role = 'assistant'"),
        ),
        Index(
            "uq_messages_sent_key",
            "user_id",
            "sent_key",
            unique=True,
            postgresql_where=text("sent_key IS NOT NULL"),
        ),
    )

    id: Mapped[PrimaryKey]
    conversation_id: Mapped[UUID] = mapped_column(
        ForeignKey("conversations.id", ondelete="CASCADE")
    )
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    # The job that wrote this; None for what a person wrote.
    job_id: Mapped[UUID | None] = mapped_column(
        ForeignKey("jobs.id", ondelete="CASCADE", use_alter=True)
    )
    role: Mapped[Role] = mapped_column(stored_as_text(Role))
    text: Mapped[str]
    # `text` as safe HTML, rendered once when it is written.
    html: Mapped[str] = mapped_column(default="", server_default="")
    # Of the form in which it was written: one that is sent again, as nobody knows whether it came,
    # is said once.
    sent_key: Mapped[UUID | None]
    # Where the user wrote it.
    channel: Mapped[str] = mapped_column(default=WEB, server_default=WEB)
    # A task that may have nothing to tell: it is shown, with its answer, once it has.
    is_hidden: Mapped[bool] = mapped_column(default=False, server_default="false")
    created_at: Mapped[Created]

    uploads: Mapped[list[Upload]] = relationship(order_by=Upload.id, lazy="selectin")
