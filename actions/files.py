"""What a user does with their files: those that they sent, and those that they were handed."""

from collections.abc import Callable, Iterable, Mapping
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from actions import attachments, wakeups
from actions.announcements import StreamPublisher, announce_cancelled
from actions.archives import ending
from agent.message import upload_paths
from agent.workspace import KEPT_FILES
from models import ledger
from models.archives import imported
from models.chat import answer_files, erasures, uploads
from models.chat.files import FileKind
from models.database import after_commit
from models.jobs.cancellation import cancel
from models.schema.answer_files import AnswerFile
from models.schema.archives import ImportedFile
from models.schema.jobs import Job, JobStatus
from models.schema.users import User
from settings import get_settings

# What the assistant itself lives on is not deleted because it once handed it over.
NOTES_FOLDER = "memory/"
WAITING = (JobStatus.PENDING, JobStatus.PAUSED)


def delete_upload(db: Session, user: User, upload_id: UUID) -> None:
    """Delete a file that a user sent: its row now, its object and the assistant's copy soon.

    What of it stands in the words of its conversation stays there. A message that waits, and of
    which nothing is left, is called off. Raises NotFound for another user's.
    """
    ledger.lock_account(db, user.id)
    upload = uploads.find_own(db, user.id, upload_id)
    jobs = db.scalars(select(Job.id).where(Job.message_id == upload.message_id)).all()
    most = get_settings().upload_max_files
    paths = [path for job_id in jobs for path in upload_paths(job_id, upload.name, most)]
    ending.end(db, user.id, upload.created_at)
    uploads.delete(db, upload)
    _forget(db, user, [upload.storage_key], paths)
    _call_off_if_empty(db, user, upload.message_id)


def delete_handed_over(db: Session, user: User, file_id: UUID) -> None:
    """Delete a file that a user was handed, and the assistant's own copy of it.

    Raises NotFound for another user's.
    """
    ledger.lock_account(db, user.id)
    file = answer_files.find_own(db, user.id, file_id)
    ending.end(db, user.id, file.created_at)
    db.delete(file)
    _forget(db, user, answer_files.keys_of(file), removable(db, user.id, [file]))


def delete_imported(db: Session, user: User, file_id: UUID) -> None:
    """Delete a file that a user brought, and what the assistant has of it.

    Raises NotFound for another user's.
    """
    ledger.lock_account(db, user.id)
    file = imported.find_own(db, user.id, file_id)
    ending.end(db, user.id, file.created_at)
    db.delete(file)
    # What no turn has put there is not there: at its path the assistant may have one of its own.
    paths = removable(db, user.id, [file]) if file.job_id is not None else []
    _forget(db, user, [file.storage_key], paths)


DELETE: Mapping[FileKind, Callable[[Session, User, UUID], None]] = {
    FileKind.SENT: delete_upload,
    FileKind.MADE: delete_handed_over,
    FileKind.IMPORTED: delete_imported,
}


def removable(db: Session, user_id: UUID, files: Iterable[AnswerFile | ImportedFile]) -> list[str]:
    """List where in the workspace a user's files lie that go.

    Left out is what the assistant lives on, its instructions, its notes and its memory, and where
    it has handed over a newer file by now that stays.
    """
    last: dict[str, UUID] = {}
    for file in files:
        if file.path not in KEPT_FILES and not file.path.startswith(NOTES_FOLDER):
            last[file.path] = max(file.id, last.get(file.path, file.id))
    newer = answer_files.newer_at(db, user_id, last) if last else set[str]()
    return [path for path in last if path not in newer]


def _call_off_if_empty(db: Session, user: User, message_id: UUID) -> None:
    """Call off what waits for the answer to a message without words or files."""
    if uploads.says_anything(db, message_id):
        return
    waiting = select(Job.id).where(Job.message_id == message_id, Job.status.in_(WAITING))
    # The last first, or closing one would only move the next one up.
    for job_id in db.scalars(waiting.order_by(Job.id.desc())).all():
        announce_cancelled(db, cancel(db, user.id, job_id), StreamPublisher())


def _forget(db: Session, user: User, keys: list[str], paths: list[str]) -> None:
    if paths:
        erasures.want(db, user.id, None, paths)
        after_commit(db, lambda: wakeups.forget(user.id))
    db.flush()
    attachments.drop_after_commit(db, keys)
