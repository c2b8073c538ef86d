"""Files that wait, in storage, for their person's word that the message may cost so much."""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import DateTime, ForeignKey, delete, func, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from models.base import Base, PrimaryKey, utc_now
from models.errors import Refused
from models.uploads import SentFile


class StagedUpload(Base):
    __tablename__ = "staged_uploads"

    id: Mapped[PrimaryKey]
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    name: Mapped[str]
    media_type: Mapped[str]
    size_bytes: Mapped[int]
    storage_key: Mapped[str] = mapped_column(unique=True)
    created_at: Mapped[datetime] = mapped_column(
        DateTime(timezone=True), default=utc_now, server_default=func.now(), index=True
    )

    @property
    def file(self) -> SentFile:
        return SentFile(self.name, self.media_type, self.size_bytes, self.storage_key)


class FilesGone(Refused):
    """The files of a message have waited too long and were deleted."""

    code = "files_gone"


def stage(db: Session, user_id: UUID, files: Sequence[SentFile]) -> list[StagedUpload]:
    """Keep files for a person's answer. Those of an earlier question stay until they expire."""
    staged = [StagedUpload(user_id=user_id, **vars(file)) for file in files]
    db.add_all(staged)
    db.flush()
    return staged


def find_own(db: Session, user_id: UUID, ids: Collection[UUID]) -> list[StagedUpload]:
    """Find all of these files of a person, or raise FilesGone."""
    if not ids:
        return []
    found = db.scalars(
        select(StagedUpload)
        .where(StagedUpload.id.in_(ids), StagedUpload.user_id == user_id)
        .order_by(StagedUpload.id)
    ).all()
    if len(found) != len(set(ids)):
        raise FilesGone
    return list(found)


def take(db: Session, user_id: UUID, ids: Collection[UUID]) -> None:
    """Note that these files go with a message now; raise FilesGone if another one has them."""
    if not ids:
        return
    taken = db.scalars(
        delete(StagedUpload)
        .where(StagedUpload.id.in_(ids), StagedUpload.user_id == user_id)
        .returning(StagedUpload.id)
    ).all()
    if len(taken) != len(set(ids)):
        raise FilesGone


def expire(db: Session, older_than: timedelta) -> list[str]:
    """Forget the files that nobody gave the word for; return their keys, to be deleted too."""
    keys = delete(StagedUpload).where(StagedUpload.created_at < utc_now() - older_than)
    return list(db.scalars(keys.returning(StagedUpload.storage_key)))
