"""How a job comes to be."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import TextClause, select, text
from sqlalchemy.orm import Session

from models import ledger
from models.base import new_id
from models.chat import conversations, storage_quotas
from models.errors import Refused
from models.jobs.affinity import PREFERRED_UNTIL, PREFERRED_WORKER, preference
from models.jobs.queries import UNFINISHED
from models.jobs.room import make_room
from models.ledger import limits
from models.schema.chat import WEB, Conversation, Message
from models.schema.failure_codes import FailureCode
from models.schema.jobs import Job, JobOrigin, JobStatus
from models.schema.uploads import SentFile, Upload
from models.schema.users import User
from settings import get_settings

MESSAGE_MAX_LENGTH = 20_000


@dataclass(frozen=True)
class Source:
    """Where a message was written, and under which key; with `is_hidden` it is not shown yet.

    With `thinks_longer` its person wants it thought about for longer than is usual.
    """

    channel: str = WEB
    sent_key: UUID | None = None
    origin: JobOrigin = JobOrigin.USER
    is_hidden: bool = False
    thinks_longer: bool = False


# A message that is sure to come once.
OURS = Source()


class NothingToSend(Refused):
    """A message has neither words nor files."""

    code = "nothing_to_send"


class AlreadyAnswered(Refused):
    """A message is being answered, or has been."""

    code = "already_answered"


class AlreadySent(Exception):
    """The same words came in the same form before; `job` answers them."""

    def __init__(self, job: Job) -> None:
        super().__init__(job.id)
        self.job = job


class MessageTooLong(Refused):
    """A message is longer than MESSAGE_MAX_LENGTH."""

    code = "message_too_long"


def ask(
    db: Session,
    conversation: Conversation,
    words: str,
    *,
    model: str,
    files: Sequence[SentFile] = (),
    cost_limit_micros: int | None = None,
    source: Source = OURS,
) -> Job:
    """Record a person's message and queue the job that will answer it.

    Its calls may cost `cost_limit_micros`, or else what this person lets each message cost. Refuses
    an empty or overlong message, one beyond the limit of a day or month, one too many waiting, of
    this person's or of all people's, files beyond what they may store, and any while spending is
    frozen. Raises AlreadySent when they sent the same words under the same `sent_key` before.
    Without credits it is paused until there are some, or refused if they come with a verified
    address.
    """
    if not words.strip() and not files:
        raise NothingToSend
    if len(words) > MESSAGE_MAX_LENGTH:
        raise MessageTooLong
    user = ledger.lock_account(db, conversation.user_id)
    place = make_room(db, user, source.origin)
    storage_quotas.refuse_if_full(db, user.id, sum(file.size_bytes for file in files))
    conversations.touch(conversation, words)
    ids = (conversation.id, user, new_id(), model)
    rest = {
        **place,
        "text": words,
        "channel": source.channel,
        "is_hidden": source.is_hidden,
        "cost_limit_micros": cost_limit_micros or limits.message_limit(user),
        "thinks_longer": source.thinks_longer,
    }
    job = _queue(db, _ASK, *ids, **rest, sent_key=source.sent_key)
    if job is None:
        if (before := find_sent(db, user.id, source.sent_key, words)) is not None:
            raise AlreadySent(before)
        # Other words, so another message: the form was open twice.
        job = _queued(_queue(db, _ASK, *ids, **rest, sent_key=None))
    _attach(db, job, files)
    return job


def _attach(db: Session, job: Job, files: Sequence[SentFile]) -> None:
    db.add_all(
        Upload(
            user_id=job.user_id,
            conversation_id=job.conversation_id,
            message_id=job.message_id,
            name=file.name,
            media_type=file.media_type,
            size_bytes=file.size_bytes,
            storage_key=file.storage_key,
        )
        for file in files
    )


def ask_again(db: Session, failed: Job, *, model: str, cost_limit_micros: int | None = None) -> Job:
    """Queue another job for the message of a failed or stopped one; its own row stays as it is.

    Unless told otherwise it may cost as much as the other might, or as the person allows by now.
    """
    user = ledger.lock_account(db, failed.user_id)
    if failed.message_id is None or failed.status not in {JobStatus.FAILED, JobStatus.CANCELLED}:
        raise AlreadyAnswered
    answered = db.scalar(
        select(Job.id).where(
            Job.message_id == failed.message_id,
            Job.status.in_((*UNFINISHED, JobStatus.COMPLETED)),
        )
    )
    if answered:
        raise AlreadyAnswered
    allowed = cost_limit_micros or max(failed.cost_limit_micros or 0, limits.message_limit(user))
    rest = {
        **make_room(db, user, JobOrigin.USER),
        "cost_limit_micros": allowed,
        "thinks_longer": failed.thinks_longer,
    }
    ids = (failed.conversation_id, user, failed.message_id, model)
    return _queued(_queue(db, _ASK_AGAIN, *ids, **rest))


def go_on(db: Session, failed: Job, *, model: str) -> Job:
    """Queue another job for a message that reached its limit, with `further_allowance` for it."""
    if failed.failure_code is not FailureCode.MESSAGE_LIMIT:
        raise AlreadyAnswered
    return ask_again(db, failed, model=model, cost_limit_micros=further_allowance(failed))


def further_allowance(failed: Job) -> int:
    """Return what a message that reached its limit may cost beyond: twice as much, in micros.

    So each time that a person lets it go on it gets further, up to the most for any message.
    """
    settings = get_settings()
    had = failed.cost_limit_micros or settings.message_limit_micros
    return min(2 * had, settings.turn_max_cost_micros)


# The locked account says which worker goes first: see `affinity`.
_QUEUE = f"""
    INSERT INTO jobs (id, user_id, conversation_id, message_id, model, cost_limit_micros,
                      origin, priority, thinks_longer, status, is_head, ready_at, created_at,
                      preferred_worker_id, preferred_until)
    SELECT :job_id, users.id, :conversation_id, :message_id, :model, :cost_limit_micros,
           :origin, :priority, :thinks_longer, :status, :is_head,
           clock_timestamp(), clock_timestamp(), {PREFERRED_WORKER}, {PREFERRED_UNTIL}
    FROM users WHERE users.id = :user_id
"""  # noqa: S608  # only words of our own
_ASK_AGAIN = text(f"{_QUEUE} RETURNING *")
_ASK = text(f"""
    WITH said AS (
        INSERT INTO messages
            (id, conversation_id, user_id, role, text, sent_key, channel, is_hidden, created_at)
        VALUES (:message_id, :conversation_id, :user_id, 'user', :text, :sent_key, :channel,
                :is_hidden, clock_timestamp())
        ON CONFLICT (user_id, sent_key) WHERE sent_key IS NOT NULL DO NOTHING
        RETURNING id
    )
    {_QUEUE} AND EXISTS (SELECT 1 FROM said)
    RETURNING *
""")  # noqa: S608


def _queue(
    db: Session,
    statement: TextClause,
    conversation_id: UUID,
    user: User,
    message_id: UUID,
    model: str,
    **rest: object,
) -> Job | None:
    """Put a job at the end of the lane of a locked account; None if its message was there."""
    given = {
        "job_id": new_id(),
        "user_id": user.id,
        "conversation_id": conversation_id,
        "message_id": message_id,
        "model": model,
        **preference(),
        **rest,
    }
    return db.scalars(select(Job).from_statement(statement), given).one_or_none()


def _queued(job: Job | None) -> Job:
    if job is None:
        raise RuntimeError("Only a message with a key can have been there.")
    return job


def find_sent(db: Session, user_id: UUID, sent_key: UUID | None, words: str) -> Job | None:
    """Return the newest job of the message that came with this key, if these are its words."""
    if sent_key is None:
        return None
    sent = select(Message.id).where(
        Message.user_id == user_id, Message.sent_key == sent_key, Message.text == words
    )
    wanted = select(Job).where(Job.message_id == sent.scalar_subquery())
    return db.scalars(wanted.order_by(Job.id.desc()).limit(1)).one_or_none()
