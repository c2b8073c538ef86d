"""Files that go from storage later: storage was away, or nobody may come to own them.

A file is noted here before it is put into storage. The row that says whose it is comes after that,
and may never come: its process can end, or its transaction fail. Then the file goes when it is due.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import delete, select, union_all
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from models.base import is_any_of, utc_now
from models.chat.answer_files import THUMBNAIL
from models.schema.answer_files import AnswerFile
from models.schema.archives import ImportedFile
from models.schema.uploads import FileDeletion, PendingUpload, Upload

# So long after it was noted a file has a row if it ever will; no request or tool takes that long.
SETTLED_AFTER = timedelta(hours=1)
# A sweep's clock may be ahead of that of whoever claims.
CLOCKS_APART = timedelta(minutes=1)
OWNERS = (
    *(Upload.storage_key, PendingUpload.storage_key),
    *(AnswerFile.storage_key, ImportedFile.storage_key),
)


def note(db: Session, keys: Sequence[str], due_at: datetime) -> None:
    """Keep the storage keys of files that are to be deleted at a time, or sooner if that was so."""
    rows = [{"storage_key": key, "due_at": due_at} for key in keys]
    if rows:
        noted = insert(FileDeletion)
        sooner = noted.excluded.due_at < FileDeletion.due_at
        db.execute(
            noted.on_conflict_do_update(
                index_elements=[FileDeletion.storage_key],
                set_={"due_at": noted.excluded.due_at},
                where=sooner,
            ),
            rows,
        )


def take_due(
    db: Session, now: datetime, limit: int, keys: Sequence[str] | None = None
) -> Sequence[str]:
    """Lock the keys that are due, of all or of `keys`, those that wait longest first.

    Nobody notes or claims them meanwhile.
    """
    waiting = select(FileDeletion.storage_key).where(FileDeletion.due_at <= now)
    if keys is not None:
        waiting = waiting.where(is_any_of(FileDeletion.storage_key, keys))
    first = waiting.order_by(FileDeletion.due_at).limit(limit)
    return db.scalars(first.with_for_update(skip_locked=True)).all()


def claim(db: Session, keys: Sequence[str]) -> bool:
    """Settle keys for rows that are being written; False if some are due and may have gone."""
    is_safe = FileDeletion.due_at > utc_now() + CLOCKS_APART
    settled = delete(FileDeletion).where(is_any_of(FileDeletion.storage_key, keys), is_safe)
    return len(db.scalars(settled.returning(FileDeletion.storage_key)).all()) == len(keys)


def owned(db: Session, keys: Sequence[str]) -> set[str]:
    """Of these keys, return those that somebody's file has."""
    of_file = {key: key.removesuffix(THUMBNAIL) for key in keys}
    named = [select(column).where(column.in_(of_file.values())) for column in OWNERS]
    found = {*db.scalars(union_all(*named))}
    return {key for key in keys if of_file[key] in found}


def settle(db: Session, keys: Sequence[str]) -> None:
    """Forget keys whose files have gone, or have an owner."""
    db.execute(delete(FileDeletion).where(FileDeletion.storage_key.in_(keys)))
