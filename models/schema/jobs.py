"""The jobs table and the states a job can be in."""

import enum
from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, false, text
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, Created, Details, PrimaryKey, stored_as_text
from models.schema.failure_codes import FailureCode


class JobStatus(enum.StrEnum):
    PENDING = "pending"
    # Waits for credits, outside of its lane.
    PAUSED = "paused"
    RUNNING = "running"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"


class JobOrigin(enum.StrEnum):
    """What made a job: somebody who waits for the answer, or a task that came due."""

    USER = "user"
    TASK = "task"


# Whoever waits goes before what nobody waits for.
PRIORITIES = {JobOrigin.USER: 0, JobOrigin.TASK: 10}
OVER = frozenset({JobStatus.COMPLETED, JobStatus.FAILED, JobStatus.CANCELLED})


class Job(Base):
    __tablename__ = "jobs"
    __table_args__ = (
        CheckConstraint(
            "(status = 'running') = (lease_until IS NOT NULL)", name="running_has_lease"
        ),
        CheckConstraint(
            "(status IN ('completed', 'failed', 'cancelled')) = (finished_at IS NOT NULL)",
            name="over_has_time",
        ),
        CheckConstraint(
            "(status = 'failed') = (failure_code IS NOT NULL)", name="failed_has_reason"
        ),
        CheckConstraint("status <> 'running' OR is_head", name="running_is_head"),
        CheckConstraint("cost_limit_micros > 0", name="cost_limit_positive"),
        CheckConstraint("NOT is_head OR status IN ('pending', 'running')", name="head_not_over"),
        # One job of a person at a time, whatever the workers do.
        Index("uq_jobs_head", "user_id", unique=True, postgresql_where=text("is_head")),
        # A message has at most one job that may still answer it.
        Index(
            "uq_jobs_message_id",
            "message_id",
            unique=True,
            postgresql_where=text("status IN ('pending', 'paused', 'running', 'completed')"),
        ),
        Index(
            "ix_jobs_claimable",
            "priority",
            "ready_at",
            "id",
            postgresql_where=text("status = 'pending' AND is_head"),
        ),
        Index(
            "ix_jobs_waiting",
            "user_id",
            "id",
            postgresql_where=text("status = 'pending' AND NOT is_head"),
        ),
        Index("ix_jobs_paused", "user_id", "id", postgresql_where=text("status = 'paused'")),
        Index("ix_jobs_lease", "lease_until", postgresql_where=text("status = 'running'")),
        # Rolled-up numbers count the jobs of some hours; these take no part of an update.
        Index("ix_jobs_created_at", "created_at", postgresql_using="brin"),
        Index("ix_jobs_finished_at", "finished_at", postgresql_using="brin"),
        # Admins look for failures of a kind; they are few.
        Index("ix_jobs_failed", "failure_code", "id", postgresql_where=text("status = 'failed'")),
        # What the tasks of a day have cost.
        Index("ix_jobs_tasks", "user_id", "id", postgresql_where=text("origin = 'task'")),
        Index("ix_jobs_user_id_id", "user_id", "id"),
        Index("ix_jobs_conversation_id_id", "conversation_id", "id"),
        # A live stream asks every second what moved: what is not over, or ended just now.
        Index("ix_jobs_conversation_id_finished_at", "conversation_id", "finished_at"),
        {"postgresql_with": {"fillfactor": "80", "autovacuum_vacuum_scale_factor": "0.02"}},
    )

    id: Mapped[PrimaryKey]
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    conversation_id: Mapped[UUID] = mapped_column(
        ForeignKey("conversations.id", ondelete="CASCADE")
    )
    # None once the conversation was erased.
    message_id: Mapped[UUID | None] = mapped_column(
        ForeignKey("messages.id", ondelete="SET NULL"), index=True
    )
    origin: Mapped[JobOrigin] = mapped_column(
        stored_as_text(JobOrigin), default=JobOrigin.USER, server_default="user"
    )
    # Of the heads of all lanes, and within a lane, the smallest goes first: see PRIORITIES.
    priority: Mapped[int] = mapped_column(default=0, server_default="0")
    # "provider/model", as chosen when the message was sent.
    model: Mapped[str]
    # The most that its calls may cost, as it was when the message was sent; None for the person's
    # limit as it is now.
    cost_limit_micros: Mapped[int | None]
    # Whether the person wants it thought about for longer than is usual.
    thinks_longer: Mapped[bool] = mapped_column(default=False, server_default=false())
    status: Mapped[JobStatus] = mapped_column(stored_as_text(JobStatus), default=JobStatus.PENDING)
    # Whether this is the first unfinished job of its person.
    is_head: Mapped[bool]
    # When it may be claimed: at once, or after the wait between two attempts.
    ready_at: Mapped[Created]
    # This worker goes first until that time: it has the person's live files.
    preferred_worker_id: Mapped[UUID | None]
    preferred_until: Mapped[datetime | None]
    # How often it was claimed; with the id, the proof that a job is still one's own.
    attempt: Mapped[int] = mapped_column(default=0, server_default="0")
    worker_id: Mapped[UUID | None]
    lease_until: Mapped[datetime | None]
    stop_requested_at: Mapped[datetime | None]
    # Why it failed, and what that has cost: see `completion.fail`.
    failure_code: Mapped[FailureCode | None] = mapped_column(stored_as_text(FailureCode))
    failure_details: Mapped[Details]
    created_at: Mapped[Created]
    started_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]

    @property
    def is_over(self) -> bool:
        return self.status in OVER
