"""Deleting one message of a user's, with its answers and files, so that no word of it stays."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from models import ledger
from models.base import utc_now
from models.chat import answer_files, conversations, erasures
from models.errors import NotFound, Refused
from models.memory import notes
from models.notifications import withdrawal
from models.schema.answer_files import AnswerFile
from models.schema.chat import IMPORT, Conversation, Message, Role
from models.schema.jobs import Job, JobStatus
from models.schema.uploads import Upload


class BeingAnswered(Refused):
    """A message is being answered just now: what is written would come after its deletion."""

    code = "message_being_answered"


def find_own(db: Session, user_id: UUID, conversation_id: UUID, message_id: UUID) -> Message:
    """Find what a user wrote in a conversation of theirs that is still there, or raise NotFound."""
    conversations.find_own(db, user_id, conversation_id)
    message = db.scalar(
        select(Message).where(
            Message.id == message_id,
            Message.conversation_id == conversation_id,
            Message.user_id == user_id,
            Message.role == Role.USER,
        )
    )
    if message is None:
        raise NotFound
    return message


def jobs_of(db: Session, message: Message) -> Sequence[Job]:
    """List the jobs that answer a message, or have; raise BeingAnswered while one runs.

    The caller holds the account's lock, so none begins meanwhile.
    """
    jobs = db.scalars(
        select(Job).where(Job.message_id == message.id).execution_options(populate_existing=True)
    ).all()
    if any(job.status is JobStatus.RUNNING for job in jobs):
        raise BeingAnswered
    return jobs


def erase(
    db: Session, message: Message, jobs: Sequence[Job], paths: Sequence[str] = ()
) -> list[str]:
    """Delete a message, what was answered, sent and noted; return its files' storage keys.

    Its jobs must be over. The user's saved files are to forget it too: with it goes all that they
    have of the conversation, which is told anew with the next message, and what lies at `paths`.
    """
    conversation = db.get_one(Conversation, message.conversation_id)
    notes.erase_of_message(db, message.user_id, message.id)
    keys = list(db.scalars(select(Upload.storage_key).where(Upload.message_id == message.id)))
    # What later messages say of its files is still there.
    conversation.has_lost_files |= bool(keys)
    ids = [job.id for job in jobs]
    ledger.forget_details(db, Job.id.in_(ids))
    keys += answer_files.erase(db, AnswerFile.job_id.in_(ids))
    for job_id in ids or [None]:
        erasures.want_message(db, message.user_id, conversation.id, job_id, paths)
    if conversation.title == conversations.title_of(message.text):
        conversation.title = _title_without(db, message)
    conversation.forgotten_at = utc_now()
    answers = Message.job_id.in_(ids) | Message.id.in_(_answers_of_archive(db, message))
    db.execute(delete(Upload).where(Upload.message_id == message.id))
    said = answers | (Message.id == message.id)
    withdrawal.withdraw(db, message.user_id, said)
    db.execute(delete(Message).where(said))
    db.expire(conversation)
    return keys


def _answers_of_archive(db: Session, message: Message) -> Sequence[UUID]:
    """List what answered a message that came with an archive: all until the next that was asked."""
    if message.channel != IMPORT:
        return ()
    after = (Message.conversation_id == message.conversation_id, Message.id > message.id)
    asked = select(Message.id).where(*after, Message.role == Role.USER)
    following = select(Message.id).where(*after, Message.channel == IMPORT)
    asked_next = db.scalar(asked.order_by(Message.id).limit(1))
    if asked_next is not None:
        following = following.where(Message.id < asked_next)
    return db.scalars(following).all()


def _title_without(db: Session, message: Message) -> str:
    """Name the conversation by what is left: its first message, or nothing."""
    words = db.scalar(
        select(Message.text)
        .where(
            Message.conversation_id == message.conversation_id,
            Message.role == Role.USER,
            Message.id != message.id,
        )
        .order_by(Message.id)
        .limit(1)
    )
    return conversations.title_of(words) if words else ""
