"""Files that wait, in storage, for their person's word that the message may cost so much."""

from collections.abc import Collection, Sequence
from datetime import timedelta
from uuid import UUID

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from models.base import utc_now
from models.errors import Refused
from models.schema.uploads import PendingUpload, SentFile


class FilesGone(Refused):
    """The files of a message have waited too long and were deleted."""

    code = "files_gone"


def stage(db: Session, user_id: UUID, files: Sequence[SentFile]) -> list[PendingUpload]:
    """Keep files for a person's answer. Those of an earlier question stay until they expire."""
    staged = [PendingUpload(user_id=user_id, **vars(file)) for file in files]
    db.add_all(staged)
    db.flush()
    return staged


def find_own(db: Session, user_id: UUID, ids: Collection[UUID]) -> list[PendingUpload]:
    """Find all of these files of a person, or raise FilesGone."""
    if not ids:
        return []
    found = db.scalars(
        select(PendingUpload)
        .where(PendingUpload.id.in_(ids), PendingUpload.user_id == user_id)
        .order_by(PendingUpload.id)
    ).all()
    if len(found) != len(set(ids)):
        raise FilesGone
    return list(found)


def take(db: Session, user_id: UUID, ids: Collection[UUID]) -> None:
    """Note that these files go with a message now; raise FilesGone if another one has them."""
    if not ids:
        return
    taken = db.scalars(
        delete(PendingUpload)
        .where(PendingUpload.id.in_(ids), PendingUpload.user_id == user_id)
        .returning(PendingUpload.id)
    ).all()
    if len(taken) != len(set(ids)):
        raise FilesGone


def expire(db: Session, older_than: timedelta) -> list[str]:
    """Forget the files that nobody gave the word for; return their keys, to be deleted too."""
    keys = delete(PendingUpload).where(PendingUpload.created_at < utc_now() - older_than)
    return list(db.scalars(keys.returning(PendingUpload.storage_key)))
