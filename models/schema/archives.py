"""What users take along and bring: archives of all that is theirs, and files out of such ones."""

import enum
from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, Created, PrimaryKey, stored_as_text


class ExportStatus(enum.StrEnum):
    # A worker puts it together, or will.
    WAITING = "waiting"
    READY = "ready"
    FAILED = "failed"
    # Its user has deleted something that was in it.
    ENDED = "ended"


class Export(Base):
    __tablename__ = "exports"
    __table_args__ = (
        # One at a time for a user.
        Index(
            "uq_exports_waiting",
            "user_id",
            unique=True,
            postgresql_where=text("status = 'waiting'"),
        ),
    )

    id: Mapped[PrimaryKey]
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    status: Mapped[ExportStatus] = mapped_column(stored_as_text(ExportStatus))
    attempts: Mapped[int] = mapped_column(default=0, server_default="0")
    # While this lasts a worker is at it.
    leased_until: Mapped[datetime | None]
    # Of one that has ended: what is yet to be deleted.
    storage_key: Mapped[str | None]
    size_bytes: Mapped[int] = mapped_column(default=0, server_default="0")
    created_at: Mapped[Created]
    finished_at: Mapped[datetime | None]


class ImportedStatus(enum.StrEnum):
    # It goes into the workspace at the next turn.
    WAITING = "waiting"
    PLACED = "placed"
    # It would change how the assistant works: its user may look at it and copy what they want.
    SET_ASIDE = "set_aside"


class ImportedFile(Base):
    __tablename__ = "imported_files"
    __table_args__ = (UniqueConstraint("user_id", "path"),)

    id: Mapped[PrimaryKey]
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    # In the workspace that it comes from.
    path: Mapped[str]
    name: Mapped[str]
    media_type: Mapped[str]
    size_bytes: Mapped[int]
    storage_key: Mapped[str] = mapped_column(unique=True)
    status: Mapped[ImportedStatus] = mapped_column(stored_as_text(ImportedStatus))
    # The turn that placed it last; it is there for good once a version was saved after that.
    job_id: Mapped[UUID | None] = mapped_column(ForeignKey("jobs.id", ondelete="SET NULL"))
    created_at: Mapped[Created]
