"""Jobs, as admins look for them and look into one. What was asked or answered is never read."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, or_, select
from sqlalchemy.orm import Session

from models.base import utc_now
from models.errors import NotFound
from models.ops import admin_actions
from models.ops.retention import first_id
from models.schema.admins import AdminAction
from models.schema.failure_codes import FailureCode
from models.schema.jobs import Job, JobStatus
from models.schema.ledger import Transaction
from models.schema.model_calls import ModelCall
from models.schema.users import User
from models.schema.workers import Worker

PAGE = 50
# Of a model only what is so recent is looked for.
MODELS_WITHIN = timedelta(days=30)


@dataclass(frozen=True)
class Wanted:
    """Which jobs, and after which one of the page before."""

    state: JobStatus | None = None
    code: FailureCode | None = None
    model: str | None = None
    after: UUID | None = None


@dataclass(frozen=True)
class Page:
    """Some jobs, the newest first; `next_after` begins the next page."""

    jobs: Sequence[Job]
    # Whose they are, by the ids of users.
    emails: Mapping[UUID, str]
    next_after: UUID | None


@dataclass(frozen=True)
class Call:
    """A call of a model, and what the ledger has of it."""

    call: ModelCall
    entries: Sequence[Transaction]


@dataclass(frozen=True)
class Step:
    """Something that happened to a job."""

    at: datetime
    what: str


@dataclass(frozen=True)
class JobFile:
    """One job: whose it is, its calls with their costs, its worker, and what admins did to it."""

    job: Job
    user: User
    worker: Worker | None
    calls: Sequence[Call]
    others: Sequence[Job]
    actions: Sequence[AdminAction]

    @property
    def charged_micros(self) -> int:
        return -sum(entry.amount_micros for call in self.calls for entry in call.entries)

    @property
    def cost_micros(self) -> int:
        costs = (entry.provider_cost_micros for call in self.calls for entry in call.entries)
        return sum(cost or 0 for cost in costs)

    @property
    def steps(self) -> Sequence[Step]:
        """What happened, in order."""
        job = self.job
        known = [
            (job.created_at, "asked"),
            (job.started_at, "claimed"),
            *((call.call.created_at, "call_opened") for call in self.calls),
            *((call.call.closed_at, "call_closed") for call in self.calls),
            (job.stop_requested_at, "stop_asked"),
            (job.finished_at, job.status.value),
        ]
        return sorted((Step(at, what) for at, what in known if at), key=lambda step: step.at)


def find(db: Session, wanted: Wanted) -> Page:
    """Return a page of jobs."""
    found = db.scalars(matching(wanted).order_by(Job.id.desc()).limit(PAGE + 1)).all()
    of_these = select(User.id, User.email).where(User.id.in_({job.user_id for job in found}))
    emails = dict(db.execute(of_these).all())
    return Page(found[:PAGE], emails, found[PAGE - 1].id if len(found) > PAGE else None)


def is_in(*states: JobStatus) -> ColumnElement[bool]:
    """Say whether a job is in one of these states, each as the index has it that has those alone.

    Few are pending among very many that are over, and one index has the heads of lanes.
    """
    alone = [Job.status == state for state in states if state is not JobStatus.PENDING]
    if JobStatus.PENDING in states:
        is_pending = Job.status == JobStatus.PENDING
        alone += [and_(is_pending, Job.is_head), and_(is_pending, ~Job.is_head)]
    return or_(*alone)


def matching(wanted: Wanted) -> Select[Job]:
    """Select the jobs that fit a filter, in no order."""
    jobs = select(Job)
    if wanted.state is not None:
        jobs = jobs.where(is_in(wanted.state))
    if wanted.code is not None:
        is_it = (Job.failure_code == wanted.code, Job.status == JobStatus.FAILED)
        jobs = jobs.where(*is_it)
    if wanted.model is not None:
        # No index has it.
        jobs = jobs.where(Job.model == wanted.model, Job.id > first_id(utc_now() - MODELS_WITHIN))
    return jobs.where(Job.id < wanted.after) if wanted.after is not None else jobs


def read(db: Session, job_id: UUID) -> JobFile:
    """Read one job; raise NotFound for none."""
    job = db.get(Job, job_id, populate_existing=True)
    if job is None:
        raise NotFound
    others = select(Job).where(Job.message_id == job.message_id, Job.id != job.id)
    return JobFile(
        job=job,
        user=db.get_one(User, job.user_id),
        worker=db.get(Worker, job.worker_id) if job.worker_id else None,
        calls=_calls(db, job_id),
        others=db.scalars(others.order_by(Job.id)).all() if job.message_id else (),
        actions=admin_actions.list_of_job(db, job_id),
    )


def _calls(db: Session, job_id: UUID) -> Sequence[Call]:
    of_job = select(ModelCall).where(ModelCall.job_id == job_id).order_by(ModelCall.id)
    booked = select(Transaction).where(Transaction.job_id == job_id).order_by(Transaction.id)
    entries = db.scalars(booked).all()
    return [
        Call(call, [entry for entry in entries if entry.call_id == call.id])
        for call in db.scalars(of_job)
    ]
