"""Bulk orders: what an admin does to all jobs of a filter, batch by batch."""

import enum
from datetime import datetime
from uuid import UUID

from sqlalchemy import Index, text
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, Created, PrimaryKey, stored_as_text
from models.schema.failure_codes import FailureCode
from models.schema.jobs import JobStatus


class BulkKind(enum.StrEnum):
    CANCEL = "cancel"
    RETRY = "retry"


class BulkOrder(Base):
    """Which jobs, how far it has come, and who wanted it. Its log entry is written with it."""

    __tablename__ = "bulk_orders"
    __table_args__ = (
        Index("ix_bulk_orders_open", "id", postgresql_where=text("finished_at IS NULL")),
    )

    # The key of the form.
    id: Mapped[PrimaryKey]
    kind: Mapped[BulkKind] = mapped_column(stored_as_text(BulkKind))
    # The filter; None is any.
    state: Mapped[JobStatus | None] = mapped_column(stored_as_text(JobStatus))
    code: Mapped[FailureCode | None] = mapped_column(stored_as_text(FailureCode))
    model: Mapped[str | None]
    # Only jobs before this one: none that was asked after the number was shown; moves down with
    # each batch.
    before_id: Mapped[UUID]
    # The number that was shown, and what became of them.
    shown: Mapped[int]
    done: Mapped[int] = mapped_column(default=0, server_default="0")
    skipped: Mapped[int] = mapped_column(default=0, server_default="0")
    admin_id: Mapped[UUID]
    created_at: Mapped[Created]
    finished_at: Mapped[datetime | None]
