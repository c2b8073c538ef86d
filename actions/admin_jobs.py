"""What admins do with a job: stop it, or have its message answered once more. Both are logged."""

from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from actions import offers
from actions.announcements import Publisher, announce_cancelled, announce_queued
from actions.channels import following
from models import jobs
from models.errors import NotFound
from models.jobs.cancellation import cancel
from models.jobs.queries import UNFINISHED
from models.ops import admin_actions
from models.ops.admin_actions import Change, Order
from models.schema.admins import AdminActionKind
from models.schema.jobs import Job


def stop(db: Session, order: Order, job_id: UUID, publisher: Publisher) -> bool:
    """Close a job that waits, or ask its worker to stop it; False for one that is over already.

    That stays as it is, and nothing is logged. What was charged is given back or stands as if its
    user had stopped it. Done once under the key of the order; refuses what `admin_actions.begin`
    refuses. The caller commits.
    """
    job = _find(db, job_id)
    if admin_actions.begin(db, order, job.user_id) is None:
        return True
    # It may have ended while its account was waited for.
    db.refresh(job, with_for_update=True)
    if job.status not in UNFINISHED:
        return False
    before = {"status": job.status}
    job = cancel(db, job.user_id, job_id)
    after = {"status": job.status, "is_stopping": job.stop_requested_at is not None}
    _note(db, order, AdminActionKind.JOB_CANCELLED, job, Change(before, after))
    announce_cancelled(db, job, publisher)
    return True


def retry(db: Session, order: Order, job_id: UUID, publisher: Publisher) -> None:
    """Queue another job for the message of one that failed or was stopped.

    Refuses a message that is being answered or has been, and whatever its user would be refused.
    Done once under the key of the order. The caller commits.
    """
    failed = _find(db, job_id)
    user = admin_actions.begin(db, order, failed.user_id)
    if user is None:
        return
    job = jobs.ask_again(db, failed, model=offers.current(user).id)
    following.expect(db, job)
    change = Change({"status": failed.status}, {"status": job.status, "job_id": str(job.id)})
    _note(db, order, AdminActionKind.JOB_RETRIED, failed, change)
    announce_queued(db, job, publisher)


def _find(db: Session, job_id: UUID) -> Job:
    job = db.scalar(select(Job).where(Job.id == job_id))
    if job is None:
        raise NotFound
    return job


def _note(db: Session, order: Order, kind: AdminActionKind, job: Job, change: Change) -> None:
    admin_actions.note(db, order, kind, job.user_id, change=change, job_id=job.id)
