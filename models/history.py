"""A conversation as it is shown: each message with what came of it, and what it cost."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session, raiseload

from models import conversations
from models.conversations import Conversation, Message, Role
from models.jobs import Job, JobStatus
from models.ledger import Transaction


@dataclass(frozen=True)
class Run:
    """A job for a message: its answer, as far as there is one, and what that has cost so far."""

    job: Job
    answer: Message | None
    cost_micros: int


@dataclass(frozen=True)
class Exchange:
    """What a person wrote, and the jobs that answered it: the newest, and any that left a text."""

    asked: Message
    runs: tuple[Run, ...]


@dataclass(frozen=True)
class History:
    """A page of a conversation, oldest first; `earlier` is where the page before it ends."""

    exchanges: tuple[Exchange, ...]
    earlier: UUID | None


def page(db: Session, conversation: Conversation, *, before: UUID | None = None) -> History:
    """Read the latest page of a conversation, or the one that ends before a message.

    An answer is on the page of its question, however much later it came.
    """
    messages, has_earlier = conversations.page(db, conversation.id, before=before)
    asked = [message for message in messages if message.role is Role.USER]
    return History(_exchanges(db, asked), messages[0].id if has_earlier else None)


def exchanges_of(
    db: Session, conversation: Conversation, job_ids: Collection[UUID]
) -> tuple[Exchange, ...]:
    """Read the exchanges that these jobs of the conversation belong to, oldest first."""
    wanted = select(Job.message_id).where(
        Job.id.in_(job_ids), Job.conversation_id == conversation.id
    )
    asked = db.scalars(
        select(Message)
        .where(Message.id.in_(wanted))
        .order_by(Message.id)
        .execution_options(populate_existing=True)
    ).all()
    return _exchanges(db, asked)


def jobs_that_moved(db: Session, conversation_id: UUID, since: datetime) -> Sequence[Job]:
    """List the jobs of a conversation that are not over, or ended after `since`, in order."""
    return db.scalars(
        select(Job)
        .where(
            Job.conversation_id == conversation_id,
            or_(
                Job.status.in_((JobStatus.PENDING, JobStatus.RUNNING)),
                Job.finished_at >= since,
            ),
        )
        .order_by(Job.id)
        .execution_options(populate_existing=True)
    ).all()


def _exchanges(db: Session, asked: Sequence[Message]) -> tuple[Exchange, ...]:
    jobs = _jobs_of(db, [message.id for message in asked])
    ids = [job.id for job in jobs]
    answers, costs = _answers(db, ids), _costs(db, ids)
    runs: dict[UUID, list[Run]] = {message.id: [] for message in asked}
    for job in jobs:
        if job.message_id is not None:
            run = Run(job, answers.get(job.id), costs.get(job.id, 0))
            runs[job.message_id].append(run)
    return tuple(Exchange(message, _worth_showing(runs[message.id])) for message in asked)


def _worth_showing(runs: list[Run]) -> tuple[Run, ...]:
    return tuple(run for run in runs if run.answer is not None or run is runs[-1])


def _jobs_of(db: Session, message_ids: Collection[UUID]) -> Sequence[Job]:
    return db.scalars(
        select(Job)
        .where(Job.message_id.in_(message_ids))
        .order_by(Job.id)
        .execution_options(populate_existing=True)
    ).all()


def _answers(db: Session, job_ids: Collection[UUID]) -> dict[UUID, Message]:
    found = db.scalars(
        select(Message)
        .where(Message.job_id.in_(job_ids), Message.role == Role.ASSISTANT)
        .options(raiseload(Message.uploads))
    )
    return {message.job_id: message for message in found if message.job_id}


def _costs(db: Session, job_ids: Collection[UUID]) -> dict[UUID, int]:
    total = func.sum(Transaction.amount_micros)
    rows = db.execute(
        select(Transaction.job_id, total)
        .where(Transaction.job_id.in_(job_ids))
        .group_by(Transaction.job_id)
    )
    return {job_id: -int(sum_micros) for job_id, sum_micros in rows if job_id}
