"""Tasks whose credits run out before their first word: they end, and run again when due next."""

from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from models import ledger
from models.jobs import completion
from models.schema.failure_codes import FailureCode
from models.schema.jobs import Job, JobStatus
from models.schema.reminders import FiringOutcome, ReminderFiring


def list_all(db: Session, limit: int) -> list[tuple[UUID, UUID]]:
    """List jobs of tasks that wait for credits, each with its user."""
    rows = db.execute(
        select(Job.id, Job.user_id)
        .join(ReminderFiring, ReminderFiring.job_id == Job.id)
        .where(ReminderFiring.outcome == FiringOutcome.RUNNING, Job.status == JobStatus.PAUSED)
        .order_by(Job.id)
        .limit(limit)
    )
    return [(job_id, user_id) for job_id, user_id in rows]


def end(db: Session, job_id: UUID, user_id: UUID) -> None:
    """End a task's job that waits for credits. Nothing happens if it goes on by now."""
    ledger.lock_account(db, user_id)
    paused = select(Job).where(Job.id == job_id, Job.status == JobStatus.PAUSED).with_for_update()
    job = db.scalar(paused.execution_options(populate_existing=True))
    if job is not None:
        completion.fail(db, job, FailureCode.NO_CREDIT)


def has_found_none(job: Job) -> bool:
    """Tell whether a job ended without credits, with nothing said and nothing charged."""
    is_dry = job.status is JobStatus.FAILED and job.failure_code is FailureCode.NO_CREDIT
    details = job.failure_details
    return is_dry and not details.get("has_part") and not details.get("charged_micros")
