"""What was heard in recordings, kept for a while."""

from uuid import UUID

from sqlalchemy import ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, Created, PrimaryKey


class Transcription(Base):
    """A recording that a model listens to, or has: heard and charged once for each key."""

    __tablename__ = "transcriptions"
    __table_args__ = (
        UniqueConstraint("user_id", "key"),
        Index(
            "ix_transcriptions_readable",
            "created_at",
            postgresql_where=text("text IS NOT NULL"),
        ),
    )

    id: Mapped[PrimaryKey]
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    # By which whoever hands the recording in knows it again.
    key: Mapped[UUID]
    # The latest call for it; an earlier one has failed.
    call_id: Mapped[UUID] = mapped_column(ForeignKey("model_calls.id"), unique=True)
    duration_ms: Mapped[int]
    # None until it is heard, and again once it is forgotten; empty if no words were heard.
    text: Mapped[str | None]
    created_at: Mapped[Created]
