"""Deleted conversations, messages, notes and files that saved files still know of."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, Created, PrimaryKey


class Erasure(Base):
    __tablename__ = "erasures"

    id: Mapped[PrimaryKey]
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    # None for notes, which are drawn anew, and where only files were deleted.
    conversation_id: Mapped[UUID | None] = mapped_column(
        ForeignKey("conversations.id", ondelete="CASCADE"), index=True
    )
    # The one whose message was deleted; None for the whole conversation, and for a message that no
    # job answered.
    job_id: Mapped[UUID | None] = mapped_column(ForeignKey("jobs.id", ondelete="CASCADE"))
    # Files of the workspace that go, by their paths in it.
    paths: Mapped[list[str]] = mapped_column(JSONB, default=list, server_default="[]")
    created_at: Mapped[Created]
    # So that what failed is not tried again at once.
    tried_at: Mapped[datetime | None]
    # While this lasts a worker is at it; nobody begins a second time beside it.
    leased_until: Mapped[datetime | None]
