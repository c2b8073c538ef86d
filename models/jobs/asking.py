"""How a job comes to be."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from models import conversations, ledger
from models.base import new_id
from models.conversations import Conversation, Message, Role
from models.errors import Refused
from models.jobs.preferring import prefer
from models.jobs.table import Job, JobStatus
from models.uploads import Upload
from models.users import User
from settings import get_settings

MESSAGE_MAX_LENGTH = 20_000


class TooManyWaiting(Refused):
    """You have many messages waiting already. Please let some be answered first."""


class TooManyUsersWaiting(Refused):
    """Very many people are asking just now. Please send this again in a minute."""


class NothingToSend(Refused):
    """Write something, or add a file, before you send."""


class AlreadyAnswered(Refused):
    """This message is being answered, or has been."""


class MessageTooLong(Refused):
    """This message is longer than 20,000 characters. Please shorten it or send it as a file."""


@dataclass(frozen=True)
class SentFile:
    """A file that is in storage already and goes with the message."""

    name: str
    media_type: str
    size_bytes: int
    storage_key: str


def ask(
    db: Session,
    conversation: Conversation,
    words: str,
    *,
    model: str,
    html: str = "",
    files: Sequence[SentFile] = (),
) -> Job:
    """Record a person's message and queue the job that will answer it.

    Refuses an empty or overlong message, one without credit, and one too many waiting, of this
    person's or of all people's.
    """
    if not words.strip() and not files:
        raise NothingToSend
    if len(words) > MESSAGE_MAX_LENGTH:
        raise MessageTooLong
    user = ledger.lock_account(db, conversation.user_id)
    message = conversations.say(db, conversation, Role.USER, words, html=html)
    message.uploads.extend(
        Upload(
            id=new_id(),
            user_id=user.id,
            conversation_id=conversation.id,
            name=file.name,
            media_type=file.media_type,
            size_bytes=file.size_bytes,
            storage_key=file.storage_key,
        )
        for file in files
    )
    return _queue(db, user, message, model)


def ask_again(db: Session, failed: Job, *, model: str) -> Job:
    """Queue another job for the message of a failed or stopped one; its own row stays as it is."""
    user = ledger.lock_account(db, failed.user_id)
    if failed.message_id is None or failed.status not in {JobStatus.FAILED, JobStatus.CANCELLED}:
        raise AlreadyAnswered
    answered = db.scalar(
        select(Job.id).where(
            Job.message_id == failed.message_id,
            Job.status.in_((JobStatus.PENDING, JobStatus.RUNNING, JobStatus.COMPLETED)),
        )
    )
    if answered:
        raise AlreadyAnswered
    return _queue(db, user, db.get_one(Message, failed.message_id), model)


def _queue(db: Session, user: User, message: Message, model: str) -> Job:
    """Put a job at the end of the lane of a locked account."""
    if user.credits_available_micros <= 0:
        raise ledger.OutOfCredit
    waiting = _unfinished(db, user.id)
    settings = get_settings()
    if waiting >= settings.max_waiting_jobs_per_user:
        raise TooManyWaiting
    # Who is in the queue already may add to their own lane, which has a limit of its own.
    if waiting == 0 and _is_full(db, settings.max_waiting_users):
        raise TooManyUsersWaiting
    job = Job(
        user_id=user.id,
        conversation_id=message.conversation_id,
        message=message,
        model=model,
        is_head=waiting == 0,
    )
    prefer(job, user)
    db.add(job)
    db.flush()
    return job


def _unfinished(db: Session, user_id: UUID) -> int:
    waiting = select(func.count()).where(
        Job.user_id == user_id, Job.status == JobStatus.PENDING, ~Job.is_head
    )
    head = select(func.count()).where(Job.user_id == user_id, Job.is_head)
    return (db.scalar(waiting) or 0) + (db.scalar(head) or 0)


def _is_full(db: Session, most: int) -> bool:
    """Tell whether the heads of `most` lanes wait; one more or less does not matter."""
    heads = select(Job.id).where(Job.status == JobStatus.PENDING, Job.is_head).limit(most)
    return (db.scalar(select(func.count()).select_from(heads.subquery())) or 0) >= most
