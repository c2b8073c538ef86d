"""Pages of the web that answers were made from."""

from uuid import UUID

from sqlalchemy import ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, Created, PrimaryKey


class AnswerSource(Base):
    """A page that was found or read for an answer, by the number that the answer may cite."""

    __tablename__ = "answer_sources"
    __table_args__ = (
        UniqueConstraint("job_id", "attempt", "number"),
        UniqueConstraint("job_id", "attempt", "url"),
    )

    id: Mapped[PrimaryKey]
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    # The question: with it goes what was found for it.
    message_id: Mapped[UUID] = mapped_column(
        ForeignKey("messages.id", ondelete="CASCADE"), index=True
    )
    job_id: Mapped[UUID] = mapped_column(ForeignKey("jobs.id", ondelete="CASCADE"))
    attempt: Mapped[int]
    number: Mapped[int]
    url: Mapped[str]
    title: Mapped[str]
    # Otherwise it was only found; then it is a source if the answer cites it.
    is_read: Mapped[bool]
    created_at: Mapped[Created]
