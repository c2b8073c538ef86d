"""How a person calls a job off."""

from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from models import ledger
from models.base import utc_now
from models.jobs.completion import stop
from models.jobs.queries import UNFINISHED, find_own
from models.schema.jobs import Job, JobStatus


def cancel(db: Session, user_id: UUID, job_id: UUID) -> Job:
    """Close a job that waits, or ask the worker that runs it to stop; one that is over stays.

    A running job comes back with `stop_requested_at`: tell its worker after the commit.
    """
    ledger.lock_account(db, user_id)
    job = find_own(db, user_id, job_id, lock=True)
    if job.status in {JobStatus.PENDING, JobStatus.PAUSED}:
        stop(db, job)
    elif job.status is JobStatus.RUNNING:
        job.stop_requested_at = job.stop_requested_at or utc_now()
        db.flush()
    return job


def cancel_all(db: Session, user_id: UUID, conversation_id: UUID) -> list[Job]:
    """Do so with every job of a conversation that is not over; return them.

    The last comes first, or closing one would only move the next one up.
    """
    ledger.lock_account(db, user_id)
    unfinished = db.scalars(
        select(Job.id)
        .where(
            Job.conversation_id == conversation_id,
            Job.user_id == user_id,
            Job.status.in_(UNFINISHED),
        )
        .order_by(Job.id.desc())
    ).all()
    return [cancel(db, user_id, job_id) for job_id in unfinished]
