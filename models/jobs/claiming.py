"""How a worker takes jobs."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from models.ops import switches
from models.ops.switches import PauseScope
from models.schema.jobs import Job, JobStatus


@dataclass(frozen=True)
class Paused:
    """What admins keep from being claimed."""

    is_all: bool
    providers: frozenset[str]
    channels: frozenset[str]

    @classmethod
    def read(cls, db: Session) -> "Paused":
        """Say what is paused by the switches as they are now, or were two seconds ago."""
        pauses = switches.current(db).pauses
        named = {
            scope: frozenset(one.name for one in pauses if one.scope is scope)
            for scope in PauseScope
        }
        return cls(
            bool(named[PauseScope.ALL]), named[PauseScope.PROVIDER], named[PauseScope.CHANNEL]
        )

    def given(self) -> dict[str, list[str] | None]:
        """Return what the statements want to know; None leaves a rule out."""
        return {
            "providers": sorted(self.providers) or None,
            "channels": sorted(self.channels) or None,
        }


@dataclass(frozen=True)
class Claim:
    """A job that a worker has taken; `attempt` is its proof in every later write."""

    job_id: UUID
    user_id: UUID
    conversation_id: UUID
    attempt: int
    # When its message was sent.
    asked_at: datetime


# What a pause keeps from being claimed. A head that is paused holds its own lane up and no other's.
_NOT_PAUSED = """
          AND (CAST(:providers AS text[]) IS NULL OR split_part(model, '/', 1) <> ALL (:providers))
          AND (CAST(:channels AS text[]) IS NULL OR NOT EXISTS (
               SELECT 1 FROM messages
               WHERE messages.id = jobs.message_id AND messages.channel = ANY (:channels)))
"""
# Written out, not bound: a plan that is kept can prove that the partial index applies.
CLAIM = text(f"""
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
          {_NOT_PAUSED}
        ORDER BY priority, ready_at, id
        LIMIT :limit
        FOR UPDATE SKIP LOCKED
    ))
    RETURNING id, user_id, conversation_id, attempt, created_at
""")  # noqa: S608  # only words of our own


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
    It waits for nobody: heads that are locked just now are left for the next time, as are those
    that an admin has paused.
    """
    paused = Paused.read(db)
    if paused.is_all:
        return []
    given = {
        **paused.given(),
        "worker_id": worker_id,
        "lease": lease,
        "limit": limit,
        "only": None if only is None else list(only),
    }
    return [Claim(*row) for row in db.execute(CLAIM, given)]


# More than any worker has cells for.
MOST_QUEUED = 100
_QUEUE = text(f"""
    SELECT count(*), coalesce(max(waited), 0)::float FROM (
        SELECT extract(epoch FROM clock_timestamp() - ready_at) AS waited FROM jobs
        WHERE status = 'pending' AND is_head AND ready_at <= statement_timestamp()
          AND (preferred_worker_id IS NULL OR preferred_worker_id = :worker_id
               OR preferred_until <= statement_timestamp())
          AND user_id <> ALL (:besides)
          {_NOT_PAUSED}
        ORDER BY priority, ready_at, id
        LIMIT :most
    ) AS first
""")  # noqa: S608


@dataclass(frozen=True)
class Queue:
    """People whom a worker could take a job of, as far as MOST_QUEUED, and the longest wait."""

    people: int
    longest_seconds: float


def queue(db: Session, worker_id: UUID, *, besides: Collection[UUID]) -> Queue:
    """Look who waits in the queue; left out are `besides`, who are served already."""
    paused = Paused.read(db)
    if paused.is_all:
        return Queue(0, 0.0)
    given = {
        **paused.given(),
        "worker_id": worker_id,
        "besides": list(besides),
        "most": MOST_QUEUED,
    }
    return Queue(*db.execute(_QUEUE, given).one())


def count_claimable(db: Session) -> int:
    """Count the heads that a worker could take now: what a lost wake-up would have announced."""
    if Paused.read(db).is_all:
        return 0
    ready = select(func.count()).where(
        Job.status == JobStatus.PENDING, Job.is_head, Job.ready_at <= func.clock_timestamp()
    )
    return db.scalar(ready) or 0
