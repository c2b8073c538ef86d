"""How much storage a user's files take, and how much they may."""

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from models.errors import Refused
from models.ops import snapshots
from models.schema.answer_files import AnswerFile
from models.schema.archives import ImportedFile
from models.schema.uploads import PendingUpload, Upload
from settings import get_settings

Table = type[Upload] | type[PendingUpload] | type[AnswerFile] | type[ImportedFile]


class StorageFull(Refused):
    """A user's files take all the room that they have."""

    code = "storage_full"


class TooMuchStaged(Refused):
    """Too many files of a user wait to be sent."""

    code = "too_much_staged"


@dataclass(frozen=True)
class StorageUsed:
    """What a user has in storage, in bytes."""

    # Of messages that were sent, of answers, and of archives that were brought.
    uploads_bytes: int
    # Of messages that wait for the user's word whether they may cost so much.
    staged_bytes: int
    # The assistant's memory and files, as they would be restored.
    state_bytes: int


def used(db: Session, user_id: UUID) -> StorageUsed:
    """Add up what a user has in storage."""
    saved = snapshots.newest(db, user_id, limit=1)
    return StorageUsed(
        uploads_bytes=_sum_files(db, user_id),
        staged_bytes=_sum(db, PendingUpload, user_id),
        state_bytes=saved[0].size_bytes if saved else 0,
    )


def refuse_if_full(db: Session, user_id: UUID, more_bytes: int) -> None:
    """Refuse files of so many bytes when they do not fit beside those that the user has.

    Under the user's lock nothing else of theirs can take the room meanwhile.
    """
    limit = get_settings().uploads_max_bytes_per_user
    if more_bytes and _sum_files(db, user_id) + more_bytes > limit:
        raise StorageFull


def refuse_if_much_staged(db: Session, user_id: UUID, more_bytes: int) -> None:
    """Refuse to let files of so many bytes wait beside those of the user that wait already."""
    limit = get_settings().staged_max_bytes_per_user
    if more_bytes and _sum(db, PendingUpload, user_id) + more_bytes > limit:
        raise TooMuchStaged


def _sum_files(db: Session, user_id: UUID) -> int:
    return sum(_sum(db, table, user_id) for table in (Upload, AnswerFile, ImportedFile))


def _sum(db: Session, table: Table, user_id: UUID) -> int:
    size = func.coalesce(func.sum(table.size_bytes), 0)
    return int(db.scalar(select(size).where(table.user_id == user_id)) or 0)
