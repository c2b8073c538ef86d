"""A user sends a message: what the web form does, and every other channel.

A channel reads what came in its own form, makes an `Incoming` of it, calls `send` and commits. What
is refused, what is asked first, what counts as the same message and who hears of it is decided
here, so it is the same wherever a user writes.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID, uuid5

import structlog
from sqlalchemy.orm import Session

from actions import attachments, offers, quotes
from actions.announcements import Publisher, announce_queued
from actions.attachments import IncomingFile
from actions.channels import following
from actions.quotes import CostConfirmationRequired, Draft
from agent.catalogue import Model
from models import jobs, ledger
from models.chat import conversations, pending_uploads, research, storage_quotas
from models.database import after_commit
from models.errors import Refused
from models.schema.chat import WEB, Conversation
from models.schema.jobs import Job
from models.schema.uploads import PendingUpload, SentFile
from models.schema.users import User

log = structlog.get_logger()

# The keys of channels are made of it: another one would let old messages come in again.
SENT_KEYS = UUID("da8c356e-bc1a-418c-a37c-3ebd5fc66518")


@dataclass(frozen=True)
class Incoming:
    """A message as a channel hands it in."""

    text: str
    files: Sequence[IncomingFile] = ()
    # Files of an earlier try, which was answered with the question whether it may cost so much.
    staged_ids: frozenset[UUID] = frozenset()
    # None begins a conversation.
    conversation_id: UUID | None = None
    # The same words under the same key are one message, however often they come.
    sent_key: UUID | None = None
    # What the user agreed to when asked.
    agreed_micros: int = 0
    # To be answered by research, at a price that is asked about first.
    is_research: bool = False
    # The user wants this one thought about for longer than is usual.
    thinks_longer: bool = False
    # None is the model that the user has chosen.
    model: str | None = None
    # Where it came in.
    channel: str = WEB
    # The sender keeps `files` when asked and hands them in again; of any other they are staged.
    resends_files: bool = False


@dataclass(frozen=True)
class Sent:
    """A message that was accepted, and the job that answers it."""

    job: Job
    conversation: Conversation
    # False when it had come before: nothing was written now.
    is_new: bool


def sent_key_of(channel: str, external_id: str) -> UUID:
    """Derive the `sent_key` of a message from the id that its channel knows it by."""
    return uuid5(uuid5(SENT_KEYS, channel), external_id)


def send(db: Session, user: User, incoming: Incoming, publisher: Publisher) -> Sent:
    """Record a user's message and queue the job that answers it, or find what it became before.

    The caller commits, and workers and open pages hear of it then; whatever is raised leaves the
    session usable. With files the session is committed first, since storage is waited for.

    Raises NotFound for another user's conversation, and Refused for what `jobs.ask`,
    `attachments.keep` and `pending_uploads` refuse, and for a model or research not offered. Raises
    CostConfirmationRequired when the user has to be asked first: commit then too, or the files that
    wait for the user's word, in its `staged`, are lost.
    """
    try:
        return _send(db, user, incoming, publisher)
    except Refused:
        # What came before has taken its files along, and waits in the lane that is full now.
        before = jobs.find_sent(db, user.id, incoming.sent_key, incoming.text)
        if before is None:
            raise
        return _as_before(db, user, before)


def _send(db: Session, user: User, incoming: Incoming, publisher: Publisher) -> Sent:
    staged = pending_uploads.find_own(db, user.id, incoming.staged_ids)
    kept = _keep(db, user, incoming.files)
    try:
        sent = _accept(db, user, incoming, [*(one.file for one in staged), *kept])
    except jobs.AlreadySent as before:
        _drop(kept)
        return _as_before(db, user, before.job)
    except CostConfirmationRequired as question:
        question.staged = _stage(db, user, incoming, kept)
        raise
    except BaseException:
        _drop(kept)
        raise
    announce_queued(db, sent.job, publisher)
    job_id = str(sent.job.id)
    after_commit(db, lambda: log.info("message.sent", channel=incoming.channel, job_id=job_id))
    return sent


def _as_before(db: Session, user: User, job: Job) -> Sent:
    conversation = conversations.find_own(db, user.id, job.conversation_id)
    return Sent(job, conversation, is_new=False)


def _keep(db: Session, user: User, files: Sequence[IncomingFile]) -> list[SentFile]:
    """Put files into storage; refuse them before anything is stored if the user may not send."""
    if not files:
        return []
    jobs.refuse_if_unable(db, user)
    storage_quotas.refuse_if_full(db, user.id, sum(file.size_bytes() for file in files))
    # No connection is held, and no lock, while the network is waited for.
    db.commit()
    return attachments.keep(user, files)


def _accept(db: Session, user: User, incoming: Incoming, files: Sequence[SentFile]) -> Sent:
    """Write the message and its job; what is raised undoes this much and no more."""
    with db.begin_nested():
        # The lock comes first: the user cannot delete the conversation between look and write.
        owner = ledger.lock_account(db, user.id)
        conversation = _open(db, owner, incoming.conversation_id)
        pending_uploads.take(db, owner.id, incoming.staged_ids)
        model = offers.find(incoming.model) if incoming.model else offers.current(owner)
        allowed = _allowance(db, owner, incoming, files, model)
        job = jobs.ask(
            db,
            conversation,
            incoming.text,
            model=model.id,
            files=files,
            cost_limit_micros=allowed,
            source=jobs.Source(
                incoming.channel, incoming.sent_key, thinks_longer=incoming.thinks_longer
            ),
        )
        if incoming.is_research and job.message_id is not None:
            research.request(db, job.message_id)
        following.expect(db, job)
        return Sent(job, conversation, is_new=True)


def _allowance(
    db: Session, owner: User, incoming: Incoming, files: Sequence[SentFile], model: Model
) -> int:
    """Return what the message may cost, in micros; raise what `quotes` does."""
    agreed, talk = incoming.agreed_micros, incoming.conversation_id
    draft = Draft(incoming.text, files, thinks_longer=incoming.thinks_longer)
    if incoming.is_research:
        return quotes.research_allowance(db, talk, draft, model=model, agreed_micros=agreed)
    return quotes.allowance(db, owner, talk, draft, model=model, agreed_micros=agreed)


def _open(db: Session, owner: User, conversation_id: UUID | None) -> Conversation:
    if conversation_id is None:
        return conversations.start(db, owner.id)
    return conversations.find_own(db, owner.id, conversation_id)


def _stage(
    db: Session, user: User, incoming: Incoming, kept: Sequence[SentFile]
) -> list[PendingUpload]:
    """Let the files wait for the user's word; refuse it if too many wait already."""
    known = pending_uploads.find_own(db, user.id, incoming.staged_ids)
    if incoming.resends_files:
        _drop(kept)
        return known
    try:
        ledger.lock_account(db, user.id)
        storage_quotas.refuse_if_much_staged(db, user.id, sum(file.size_bytes for file in kept))
        return [*known, *pending_uploads.stage(db, user.id, kept)]
    except BaseException:
        _drop(kept)
        raise


def _drop(kept: Sequence[SentFile]) -> None:
    attachments.drop(file.storage_key for file in kept)
