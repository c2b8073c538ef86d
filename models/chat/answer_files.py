"""Files that the assistant hands over with an answer."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import ColumnElement, func, select
from sqlalchemy import delete as delete_from
from sqlalchemy.orm import Session

from models.chat import conversations, storage_quotas
from models.errors import NotFound, Refused
from models.schema.answer_files import AnswerFile
from models.schema.jobs import Job

MOST_OF_AN_ANSWER = 10
# What the key of a picture's small picture has more than its own.
THUMBNAIL = "-small"


class TooManyHandedOver(Refused):
    """An answer has `most` files already."""

    code = "too_many_handed_over"


@dataclass(frozen=True)
class StoredFile:
    """A file that is in storage already and goes with an answer."""

    path: str
    name: str
    title: str
    media_type: str
    size_bytes: int
    storage_key: str
    thumbnail_key: str | None


def attach(db: Session, job: Job, file: StoredFile) -> list[str]:
    """Let a file go with the answer of a job whose account is locked.

    One that the same job handed over from the same path before makes way; returns its storage keys,
    to be deleted too. Refuses more than `MOST_OF_AN_ANSWER`, and what the user has no room for.
    Raises NotFound when the user has deleted the conversation meanwhile: nobody would delete it.
    """
    conversations.find_own(db, job.user_id, job.conversation_id)
    keys = erase(db, (AnswerFile.job_id == job.id) & (AnswerFile.path == file.path))
    count = select(func.count()).select_from(AnswerFile).where(AnswerFile.job_id == job.id)
    if db.scalars(count).one() >= MOST_OF_AN_ANSWER:
        raise TooManyHandedOver(most=MOST_OF_AN_ANSWER)
    storage_quotas.refuse_if_full(db, job.user_id, file.size_bytes)
    db.add(
        AnswerFile(
            user_id=job.user_id,
            conversation_id=job.conversation_id,
            job_id=job.id,
            **vars(file),
        )
    )
    db.flush()
    return keys


def erase(db: Session, which: ColumnElement[bool]) -> list[str]:
    """Delete the rows of such files; return their storage keys, to be deleted too."""
    gone = db.scalars(delete_from(AnswerFile).where(which).returning(AnswerFile)).all()
    return [key for one in gone for key in keys_of(one)]


def find_own(db: Session, user_id: UUID, file_id: UUID) -> AnswerFile:
    """Find a file that this user's assistant handed over, or raise NotFound."""
    found = db.scalar(
        select(AnswerFile).where(AnswerFile.id == file_id, AnswerFile.user_id == user_id)
    )
    if found is None:
        raise NotFound
    return found


def of_jobs(db: Session, job_ids: Collection[UUID]) -> dict[UUID, list[AnswerFile]]:
    """List what these jobs handed over, in order. The caller knows whose they are."""
    found: dict[UUID, list[AnswerFile]] = {}
    if job_ids:
        wanted = select(AnswerFile).where(AnswerFile.job_id.in_(job_ids)).order_by(AnswerFile.id)
        for one in db.scalars(wanted):
            found.setdefault(one.job_id, []).append(one)
    return found


def of_conversation(db: Session, conversation_id: UUID) -> Sequence[AnswerFile]:
    """List what was handed over in a conversation."""
    return db.scalars(select(AnswerFile).where(AnswerFile.conversation_id == conversation_id)).all()


def newer_at(db: Session, user_id: UUID, last: Mapping[str, UUID]) -> set[str]:
    """Say at which of these paths a user was handed something later than the file of that id.

    In the workspace the newer one lies there: it does not go with one from before.
    """
    found = db.execute(
        select(AnswerFile.path, AnswerFile.id).where(
            AnswerFile.user_id == user_id, AnswerFile.path.in_(last)
        )
    )
    return {path for path, file_id in found if file_id > last[path]}


def keys_of(file: AnswerFile) -> list[str]:
    """List the objects in storage that are of a file."""
    return [key for key in (file.storage_key, file.thumbnail_key) if key]
