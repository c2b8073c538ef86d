"""How a worker takes jobs."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from models.schema.jobs import Job, JobStatus


@dataclass(frozen=True)
class Claim:
    """A job that a worker has taken; `attempt` is its proof in every later write."""

    job_id: UUID
    user_id: UUID
    conversation_id: UUID
    attempt: int
    # When its message was sent.
    asked_at: datetime


# Written out, not bound: a plan that is kept can prove that the partial index applies.
CLAIM = text("""
    UPDATE jobs
    SET status = 'running', attempt = attempt + 1, worker_id = :worker_id,
        started_at = coalesce(started_at, clock_timestamp()),
        lease_until = clock_timestamp() + :lease
    WHERE id = ANY (ARRAY(
        SELECT id FROM jobs
        WHERE status = 'pending' AND is_head AND ready_at <= statement_timestamp()
          AND (preferred_worker_id IS NULL OR preferred_worker_id = :worker_id
               OR preferred_until <= statement_timestamp())
          AND (CAST(:only AS uuid[]) IS NULL OR user_id = ANY (:only))
        ORDER BY priority, ready_at, id
        LIMIT :limit
        FOR UPDATE SKIP LOCKED
    ))
    RETURNING id, user_id, conversation_id, attempt, created_at
""")


def claim_many(
    db: Session,
    worker_id: UUID,
    lease: timedelta,
    limit: int,
    *,
    only: Collection[UUID] | None = None,
) -> list[Claim]:
    """Take up to `limit` heads, those that have been ready longest, for one lease each.

    Tasks come after all for whom somebody waits.

    With `only`, heads of those people: a worker without a free cell can still serve its hot ones.
    It waits for nobody: heads that are locked just now are left for the next time.
    """
    given = {
        "worker_id": worker_id,
        "lease": lease,
        "limit": limit,
        "only": None if only is None else list(only),
    }
    return [Claim(*row) for row in db.execute(CLAIM, given)]


# More than any worker has cells for.
MOST_QUEUED = 100
_QUEUE = text("""
    SELECT count(*), coalesce(max(waited), 0)::float FROM (
        SELECT extract(epoch FROM clock_timestamp() - ready_at) AS waited FROM jobs
        WHERE status = 'pending' AND is_head AND ready_at <= statement_timestamp()
          AND (preferred_worker_id IS NULL OR preferred_worker_id = :worker_id
               OR preferred_until <= statement_timestamp())
          AND user_id <> ALL (:besides)
        ORDER BY priority, ready_at, id
        LIMIT :most
    ) AS first
""")


@dataclass(frozen=True)
class Queue:
    """People whom a worker could take a job of, as far as MOST_QUEUED, and the longest wait."""

    people: int
    longest_seconds: float


def queue(db: Session, worker_id: UUID, *, besides: Collection[UUID]) -> Queue:
    """Look who waits in the queue; left out are `besides`, who are served already."""
    given = {"worker_id": worker_id, "besides": list(besides), "most": MOST_QUEUED}
    return Queue(*db.execute(_QUEUE, given).one())


def count_claimable(db: Session) -> int:
    """Count the heads that a worker could take now: what a lost wake-up would have announced."""
    ready = select(func.count()).where(
        Job.status == JobStatus.PENDING, Job.is_head, Job.ready_at <= func.clock_timestamp()
    )
    return db.scalar(ready) or 0
