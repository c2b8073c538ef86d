"""A user changes the words of a message that no worker has begun to answer."""

from uuid import UUID

from sqlalchemy.orm import Session

from models import ledger
from models.chat import conversations
from models.jobs.enqueue import MESSAGE_MAX_LENGTH, MessageTooLong, NothingToSend
from models.jobs.queries import find_own
from models.schema.chat import Conversation, Message
from models.schema.jobs import Job, JobStatus


def rewrite(db: Session, user_id: UUID, job_id: UUID, words: str) -> Job | None:
    """Put other words into the message of a job that waits; None if it is too late for that.

    Raises NotFound for another user's job, and refuses an empty or overlong message.
    """
    if not words.strip():
        raise NothingToSend
    if len(words) > MESSAGE_MAX_LENGTH:
        raise MessageTooLong
    ledger.lock_account(db, user_id)
    job = find_own(db, user_id, job_id, lock=True)
    waits = job.status in {JobStatus.PENDING, JobStatus.PAUSED} and job.attempt == 0
    message = db.get(Message, job.message_id) if job.message_id else None
    if not waits or message is None:
        return None
    conversation = db.get_one(Conversation, job.conversation_id)
    if conversation.title == conversations.title_of(message.text):
        conversation.title = conversations.title_of(words)
    message.text = words
    db.flush()
    return job
