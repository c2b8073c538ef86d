"""Calls of models: held before they start, closed once."""

import enum
from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, Created, PrimaryKey, stored_as_text


class CallKind(enum.StrEnum):
    """What a model, or an engine that searches the web, was called for."""

    # A part of the answer to a message: it belongs to a job.
    ANSWER = "answer"
    # To write down what was said, before there is a message.
    TRANSCRIPTION = "transcription"
    # To search the web for an answer: no model, but an engine, which is named as one.
    SEARCH = "search"


class CallStatus(enum.StrEnum):
    OPEN = "open"
    COMPLETED = "completed"
    # The provider's stream broke off, or the person stopped it.
    CUT = "cut"
    STOPPED = "stopped"
    # The provider refused or failed before it sent anything.
    FAILED = "failed"
    # The worker died with it; nobody knows what it used.
    LOST = "lost"


class ModelCall(Base):
    __tablename__ = "model_calls"
    __table_args__ = (
        CheckConstraint("held_micros >= 0", name="held_not_negative"),
        CheckConstraint("(status = 'open') = (closed_at IS NULL)", name="closed_has_time"),
        CheckConstraint("(kind = 'transcription') = (job_id IS NULL)", name="answer_has_job"),
        # The audit asks what was closed since it last looked.
        Index("ix_model_calls_closed_at", "closed_at", postgresql_using="brin"),
        Index("ix_model_calls_open", "job_id", postgresql_where=text("status = 'open'")),
    )

    id: Mapped[PrimaryKey]
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id"), index=True)
    kind: Mapped[CallKind] = mapped_column(
        stored_as_text(CallKind), default=CallKind.ANSWER, server_default="answer"
    )
    job_id: Mapped[UUID | None] = mapped_column(ForeignKey("jobs.id"), index=True)
    attempt: Mapped[int]
    model: Mapped[str]
    status: Mapped[CallStatus] = mapped_column(stored_as_text(CallStatus), default=CallStatus.OPEN)
    held_micros: Mapped[int]
    provider_request_id: Mapped[str | None]
    # What went wrong, in the words of the provider.
    detail: Mapped[str | None]
    created_at: Mapped[Created]
    closed_at: Mapped[datetime | None]
