"""How a worker takes a job."""

from collections.abc import Collection
from datetime import timedelta
from uuid import UUID

from sqlalchemy import func, or_, select, update
from sqlalchemy.orm import Session

from models.jobs.table import Job, JobStatus


def claim_next(
    db: Session, worker_id: UUID, lease: timedelta, *, only: Collection[UUID] | None = None
) -> Job | None:
    """Take the head that has been ready longest, for one lease; None if there is none.

    With `only`, jobs of those people: a worker without a free cell can still serve its hot ones.
    """
    candidate = (
        select(Job.id)
        .where(
            Job.status == JobStatus.PENDING,
            Job.is_head,
            Job.ready_at <= func.clock_timestamp(),
            or_(
                Job.preferred_worker_id.is_(None),
                Job.preferred_worker_id == worker_id,
                Job.preferred_until <= func.clock_timestamp(),
            ),
        )
        .order_by(Job.ready_at, Job.id)
        .limit(1)
        .with_for_update(skip_locked=True)
    )
    if only is not None:
        candidate = candidate.where(Job.user_id.in_(only))
    return db.scalar(
        update(Job)
        .where(Job.id == candidate.scalar_subquery())
        .values(
            status=JobStatus.RUNNING,
            attempt=Job.attempt + 1,
            worker_id=worker_id,
            started_at=func.coalesce(Job.started_at, func.clock_timestamp()),
            lease_until=func.clock_timestamp() + lease,
        )
        .returning(Job)
        .execution_options(synchronize_session=False, populate_existing=True)
    )


def count_claimable(db: Session) -> int:
    """Count the heads that a worker could take now: what a lost nudge would have announced."""
    ready = select(func.count()).where(
        Job.status == JobStatus.PENDING, Job.is_head, Job.ready_at <= func.clock_timestamp()
    )
    return db.scalar(ready) or 0
