"""A conversation as it is shown: each message with what came of it, and what it cost.

What the product said unasked, a reminder, is a message of the assistant's that no job wrote.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Executable,
    FromClause,
    Integer,
    bindparam,
    cast,
    func,
    or_,
    select,
)
from sqlalchemy.orm import Session, raiseload

from models.chat.conversations import PAGE_LENGTH
from models.schema.answer_files import AnswerFile
from models.schema.chat import ASSISTANT, Conversation, Message, Role
from models.schema.jobs import OVER, Job, JobStatus
from models.schema.ledger import Transaction
from models.schema.uploads import Upload

MAX_UUID = UUID(int=2**128 - 1)
_UNASKED = select(Message).where(Message.role == Role.ASSISTANT, Message.job_id.is_(None))


@dataclass(frozen=True)
class Run:
    """A job for a message: its answer, as far as there is one, and what that has cost so far."""

    job: Job
    answer: Message | None
    cost_micros: int
    # What was handed over with it.
    files: tuple[AnswerFile, ...] = ()


@dataclass(frozen=True)
class Exchange:
    """What a person wrote, and the jobs that answered it: the newest, and any that left a text.

    Or what the product said unasked: then there are no jobs.
    """

    asked: Message
    runs: tuple[Run, ...]


class RunSummary(NamedTuple):
    """What tells whether a job looks otherwise than before."""

    job_id: UUID
    status: JobStatus
    attempt: int
    is_stopping: bool
    answer_id: UUID | None
    cost_micros: int
    file_count: int = 0


class ExchangeSummary(NamedTuple):
    """An exchange without its words, which never change once its jobs are over."""

    asked_id: UUID
    runs: tuple[RunSummary, ...]
    upload_count: int = 0

    @property
    def is_over(self) -> bool:
        return all(run.status in OVER for run in self.runs)


@dataclass(frozen=True)
class History:
    """A page of a conversation, oldest first; `earlier` is where the page before it ends."""

    summaries: tuple[ExchangeSummary, ...]
    earlier: UUID | None


def page(
    db: Session,
    conversation: Conversation,
    *,
    before: UUID | None = None,
    limit: int = PAGE_LENGTH,
) -> History:
    """Summarise the latest `limit` messages of a conversation, or at those before a message.

    An answer is on the page of its question, however much later it came.
    """
    wanted = {"of": conversation.id, "before": before or MAX_UUID, "limit": limit + 1}
    rows = db.connection().execute(_SUMMARIES, wanted).all()
    said = list(dict.fromkeys(row[0] for row in rows))
    has_earlier = len(said) > limit
    shown = said[1:] if has_earlier else said
    runs: dict[UUID, tuple[RunSummary, ...]] = {}
    uploads: dict[UUID, int] = {}
    for message_id, begins, upload_count, *run in rows:
        if begins and message_id >= shown[0]:
            one = (RunSummary(*run),) if run[0] else ()
            runs[message_id] = runs.get(message_id, ()) + one
            uploads[message_id] = upload_count
    summaries = tuple(
        ExchangeSummary(message_id, found, uploads[message_id])
        for message_id, found in runs.items()
    )
    return History(summaries, shown[0] if has_earlier else None)


def exchanges_asked(db: Session, message_ids: Collection[UUID]) -> tuple[Exchange, ...]:
    """Read the exchanges that these messages began, oldest first. The caller knows whose."""
    asked = db.scalars(select(Message).where(Message.id.in_(message_ids)).order_by(Message.id))
    return _exchanges(db, asked.all())


def exchanges_of(
    db: Session, conversation: Conversation, job_ids: Collection[UUID]
) -> tuple[Exchange, ...]:
    """Read the exchanges that these jobs of the conversation belong to, oldest first."""
    wanted = select(Job.message_id).where(
        Job.id.in_(job_ids), Job.conversation_id == conversation.id
    )
    asked = db.scalars(
        select(Message)
        .where(Message.id.in_(wanted), ~Message.is_hidden)
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
            # Two short stretches of one index, however many jobs there were.
            or_(Job.finished_at.is_(None), Job.finished_at >= since),
        )
        .order_by(Job.id)
        .execution_options(populate_existing=True)
    ).all()


def said_unasked(
    db: Session, conversation: Conversation, message_ids: Collection[UUID]
) -> tuple[Exchange, ...]:
    """Read these messages of the conversation that the product said unasked, oldest first."""
    said = db.scalars(
        _UNASKED.where(
            Message.id.in_(message_ids), Message.conversation_id == conversation.id
        ).order_by(Message.id)
    )
    return tuple(Exchange(message, ()) for message in said)


def said_unasked_since(db: Session, conversation_id: UUID, since: datetime) -> Sequence[UUID]:
    """List the messages of a conversation that the product said unasked since then."""
    wanted = _UNASKED.with_only_columns(Message.id)
    return db.scalars(
        wanted.where(
            Message.conversation_id == conversation_id, Message.created_at >= since
        ).order_by(Message.id)
    ).all()


def _exchanges(db: Session, asked: Sequence[Message]) -> tuple[Exchange, ...]:
    jobs = _jobs_of(db, [message.id for message in asked])
    ids = [job.id for job in jobs]
    answers, costs = _answers(db, ids), _costs(db, ids)
    runs: dict[UUID, list[Run]] = {message.id: [] for message in asked}
    for job, files in jobs.items():
        if job.message_id is not None:
            run = Run(job, answers.get(job.id), costs.get(job.id, 0), tuple(files))
            runs[job.message_id].append(run)
    return tuple(Exchange(message, _worth_showing(runs[message.id])) for message in asked)


def _summaries() -> Executable:
    """Made once: to put it together takes longer than to have it answered."""
    said, answer = Message.__table__.alias("said"), Message.__table__.alias("answer")
    job, entry = Job.__table__, Transaction.__table__
    upload, file = Upload.__table__, AnswerFile.__table__
    page = (
        select(said.c.id, _begins(said).label("begins"))
        .where(
            said.c.conversation_id == bindparam("of"),
            said.c.id < bindparam("before"),
            ~said.c.is_hidden,
        )
        .order_by(said.c.id.desc())
        .limit(bindparam("limit", type_=Integer()))
        .subquery()
    )
    cost = select(func.sum(entry.c.amount_micros)).where(entry.c.job_id == job.c.id)
    # Files may be deleted one by one.
    sent = select(func.count()).select_from(upload).where(upload.c.message_id == page.c.id)
    handed_over = select(func.count()).select_from(file).where(file.c.job_id == job.c.id)
    return (
        select(
            page.c.id,
            page.c.begins,
            sent.scalar_subquery(),
            job.c.id,
            job.c.status,
            job.c.attempt,
            job.c.stop_requested_at.is_not(None),
            answer.c.id,
            cast(-func.coalesce(cost.scalar_subquery(), 0), BigInteger),
            handed_over.scalar_subquery(),
        )
        .outerjoin(job, job.c.message_id == page.c.id)
        .outerjoin(answer, (answer.c.job_id == job.c.id) & (answer.c.role == ASSISTANT))
        .order_by(page.c.id, job.c.id)
    )


def _begins(said: FromClause) -> ColumnElement[bool]:
    """Tell whether a message begins an exchange: it is no answer."""
    return or_(said.c.role == Role.USER, said.c.job_id.is_(None))


_SUMMARIES = _summaries()


def _worth_showing(runs: list[Run]) -> tuple[Run, ...]:
    return tuple(run for run in runs if run.answer or run.files or run is runs[-1])


def _jobs_of(db: Session, message_ids: Collection[UUID]) -> dict[Job, list[AnswerFile]]:
    """Return the jobs of these messages, in order, each with what it handed over."""
    rows = db.execute(
        select(Job, AnswerFile)
        .outerjoin(AnswerFile, AnswerFile.job_id == Job.id)
        .where(Job.message_id.in_(message_ids))
        .order_by(Job.id, AnswerFile.id)
        .execution_options(populate_existing=True)
    ).all()
    found: dict[Job, list[AnswerFile]] = {}
    for job, file in rows:
        found.setdefault(job, []).extend([file] if file else [])
    return found


def _answers(db: Session, job_ids: Collection[UUID]) -> dict[UUID, Message]:
    found = db.scalars(
        select(Message)
        .where(Message.job_id.in_(job_ids), Message.role == ASSISTANT)
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
