"""What people and pages ask about jobs."""

from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from models.errors import NotFound
from models.jobs.table import Job, JobStatus

UNFINISHED = (JobStatus.PENDING, JobStatus.RUNNING)


def find_own(db: Session, user_id: UUID, job_id: UUID, *, lock: bool = False) -> Job:
    """Find one of this person's jobs, or raise NotFound."""
    wanted = select(Job).where(Job.id == job_id, Job.user_id == user_id)
    if lock:
        wanted = wanted.with_for_update().execution_options(populate_existing=True)
    job = db.scalar(wanted)
    if job is None:
        raise NotFound
    return job


def position(db: Session, job: Job) -> int:
    """Tell how many jobs are before this one: of its lane, and heads that were ready earlier."""
    if job.status is not JobStatus.PENDING:
        return 0
    own = (Job.user_id == job.user_id) & Job.status.in_(UNFINISHED) & (Job.id < job.id)
    in_lane = db.scalar(select(func.count()).where(own)) or 0
    if not job.is_head:
        return in_lane
    earlier = select(func.count()).where(
        Job.status == JobStatus.PENDING, Job.is_head, Job.ready_at < job.ready_at
    )
    return in_lane + (db.scalar(earlier) or 0)
