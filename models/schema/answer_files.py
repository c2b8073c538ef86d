"""Files that the assistant hands over with an answer."""

from uuid import UUID

from sqlalchemy import ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, Created, PrimaryKey


class AnswerFile(Base):
    __tablename__ = "answer_files"
    # An attempt that is made again hands the same file over again.
    __table_args__ = (UniqueConstraint("job_id", "path"),)

    id: Mapped[PrimaryKey]
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    conversation_id: Mapped[UUID] = mapped_column(
        ForeignKey("conversations.id", ondelete="CASCADE"), index=True
    )
    job_id: Mapped[UUID] = mapped_column(ForeignKey("jobs.id", ondelete="CASCADE"))
    # Where it lay in the assistant's workspace.
    path: Mapped[str]
    name: Mapped[str]
    # What the assistant calls it; empty where the name says enough.
    title: Mapped[str] = mapped_column(default="", server_default="")
    media_type: Mapped[str]
    size_bytes: Mapped[int]
    storage_key: Mapped[str] = mapped_column(unique=True)
    # Of a picture, a small one that a helper made of it.
    thumbnail_key: Mapped[str | None]
    created_at: Mapped[Created]

    @property
    def is_image(self) -> bool:
        return self.thumbnail_key is not None

    @property
    def label(self) -> str:
        """What people read of it first."""
        return self.title or self.name
