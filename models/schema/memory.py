"""What assistants know of their users, as single notes, and how each came to be what it is."""

import enum
from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, Created, PrimaryKey, stored_as_text


class NoteAuthor(enum.StrEnum):
    USER = "user"
    ASSISTANT = "assistant"
    # It came with an archive.
    IMPORTED = "imported"


class NoteAction(enum.StrEnum):
    ADDED = "added"
    EDITED = "edited"
    DELETED = "deleted"
    RESTORED = "restored"


class MemoryNote(Base):
    __tablename__ = "memory_notes"
    __table_args__ = (
        Index("uq_memory_notes_user_id_number", "user_id", "number", unique=True),
        Index("ix_memory_notes_conversation_id", "conversation_id"),
        Index("ix_memory_notes_message_id", "message_id"),
        Index(
            "ix_memory_notes_deleted_at",
            "deleted_at",
            postgresql_where=text("deleted_at IS NOT NULL"),
        ),
    )

    id: Mapped[PrimaryKey]
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    # What the user and the assistant call it by: #1, #2.
    number: Mapped[int]
    words: Mapped[str]
    author: Mapped[NoteAuthor] = mapped_column(stored_as_text(NoteAuthor))
    # Where it was said, and in which message; None for what a user wrote by hand, and for what
    # nobody knows any more. When those are deleted it goes with them.
    conversation_id: Mapped[UUID | None] = mapped_column(
        ForeignKey("conversations.id", ondelete="SET NULL")
    )
    message_id: Mapped[UUID | None] = mapped_column(ForeignKey("messages.id", ondelete="SET NULL"))
    noted_at: Mapped[Created]
    # From then on no assistant is told of it; for a while it can be taken back, then it is erased.
    deleted_at: Mapped[datetime | None]


class MemoryChange(Base):
    """One step of a note; it goes with its note."""

    __tablename__ = "memory_changes"
    __table_args__ = (
        Index("ix_memory_changes_user_id_id", "user_id", "id"),
        Index("ix_memory_changes_note_id_id", "note_id", "id"),
    )

    id: Mapped[PrimaryKey]
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    note_id: Mapped[UUID] = mapped_column(ForeignKey("memory_notes.id", ondelete="CASCADE"))
    action: Mapped[NoteAction] = mapped_column(stored_as_text(NoteAction))
    author: Mapped[NoteAuthor] = mapped_column(stored_as_text(NoteAuthor))
    # What an edited note said before; None for any other step, and once that was deleted.
    before: Mapped[str | None]
    # Where that was said, and in which message, as the note knew it; with those it goes. Ids alone:
    # a step is read by its user, and outlives what they name.
    conversation_id: Mapped[UUID | None]
    message_id: Mapped[UUID | None]
    made_at: Mapped[Created]
