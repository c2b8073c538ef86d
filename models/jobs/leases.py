"""Leases: who may write for a job, and what happens when its worker falls silent."""

from collections.abc import Mapping
from datetime import timedelta
from uuid import UUID

from sqlalchemy import and_, func, select, text
from sqlalchemy.orm import Session

from models import ledger
from models.jobs.completion import fail, requeue
from models.people import users
from models.schema.failure_codes import FailureCode
from models.schema.jobs import Job, JobStatus
from models.schema.users import User
from settings import get_settings


class LeaseLost(Exception):
    """Another worker has this job now, or it is over: nothing more may be written for it."""


def lock_lease(db: Session, job_id: UUID, attempt: int) -> Job:
    """Lock the person and the job that we still hold; raise LeaseLost when we do not."""
    return lock_held(db, job_id, attempt)[1]


def lock_held(db: Session, job_id: UUID, attempt: int) -> tuple[User, Job]:
    """Do as `lock_lease`, and return the locked account too, as it stands."""
    # As ledger.lock_account does, in one question: PostgreSQL locks the rows in the order of `of`,
    # and asks again of what it had to wait for.
    held = db.execute(
        select(User, Job)
        .join(Job, Job.user_id == User.id)
        .where(Job.id == job_id, Job.attempt == attempt, Job.status == JobStatus.RUNNING)
        .with_for_update(key_share=True, of=(User, Job))
        .execution_options(populate_existing=True)
    ).one_or_none()
    if held is None:
        raise LeaseLost
    user, job = held
    return user, job


# Whoever completes several jobs meanwhile locks in the same order.
_RENEW = text("""
    UPDATE jobs SET lease_until = clock_timestamp() + :lease
    WHERE id = ANY (ARRAY(
        SELECT jobs.id
        FROM jobs JOIN unnest(CAST(:job_ids AS uuid[]), CAST(:attempts AS bigint[]))
            AS held (job_id, attempt) ON held.job_id = jobs.id
        WHERE jobs.status = 'running' AND jobs.attempt = held.attempt
        ORDER BY jobs.id FOR NO KEY UPDATE OF jobs
    ))
    RETURNING id, stop_requested_at IS NOT NULL AS is_stopped
""")


def renew(db: Session, held: Mapping[UUID, int], lease: timedelta) -> dict[UUID, bool]:
    """Prolong the leases of `held` (job id to attempt).

    Returns those that are still ours, with whether the person asked to stop. A job that is missing
    from the answer is lost.
    """
    if not held:
        return {}
    given = {"job_ids": list(held), "attempts": list(held.values()), "lease": lease}
    return {row.id: row.is_stopped for row in db.execute(_RENEW, given)}


_IS_ABANDONED = and_(Job.status == JobStatus.RUNNING, Job.lease_until < func.clock_timestamp())


def abandoned(db: Session) -> list[UUID]:
    """List jobs whose worker has fallen silent, those first that have waited longest."""
    return list(
        db.scalars(select(Job.id).where(_IS_ABANDONED).order_by(Job.lease_until).limit(100))
    )


def reap_expired(db: Session, job_id: UUID) -> Job | None:
    """Take a job of a silent worker back: to another try, or to failure after the last.

    Calls that the dead attempt had open are at our expense, and so are those that it was charged,
    as far as the day's cap goes; beyond it no further try is made. None if its worker was heard of
    again, or another process took it back.
    """
    ledger.lock_account(db, db.scalars(select(Job.user_id).where(Job.id == job_id)).one())
    job = db.scalar(
        select(Job)
        .where(Job.id == job_id, _IS_ABANDONED)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    if job is not None:
        _release(db, job)
    return job


def _release(db: Session, job: Job) -> None:
    back = ledger.absorb_abandoned(db, job.id, job.attempt)
    if job.attempt >= get_settings().job_max_attempts or back.standing_micros:
        fail(db, job, FailureCode.WORKER_LOST)
        return
    # The lease was wait enough.
    requeue(db, job)
    # Its live files died with the worker.
    users.forget_cell(ledger.lock_account(db, job.user_id))
    job.preferred_worker_id, job.preferred_until = None, None
    db.flush()


def retry_delay(attempt: int) -> timedelta:
    """How long to wait after the given attempt: twice as long each time."""
    return timedelta(seconds=get_settings().job_retry_delay_seconds * 2 ** (attempt - 1))
