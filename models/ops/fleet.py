"""All workers together: who takes turns, who is on the way out, and how many users need one."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from models.ops.right_now import alive_after
from models.schema.scaling import ScalingDecision
from models.schema.workers import Worker

# Heads of lanes alone: a user is answered one message at a time, by one cell. One that waits for
# another attempt needs none before that. Each part is what one partial index has.
_DEMAND = text("""
    WITH waiting AS (
        SELECT ready_at FROM jobs
        WHERE status = 'pending' AND is_head AND ready_at <= clock_timestamp()
    )
    SELECT (SELECT count(*) FROM waiting),
           (SELECT count(*) FROM jobs WHERE status = 'running'),
           (SELECT min(ready_at) FROM waiting)
""")


@dataclass(frozen=True)
class Member:
    """A worker that is alive, as it said at its last heartbeat."""

    id: UUID
    version: str
    capacity: int
    spare: int
    hot: int
    busy: int
    draining_at: datetime | None
    released_at: datetime | None

    @property
    def is_active(self) -> bool:
        """Whether it takes turns."""
        return self.draining_at is None

    @property
    def is_ready(self) -> bool:
        """Whether it takes turns and has a cell to answer them by."""
        return self.is_active and self.spare + self.hot + self.busy > 0

    @property
    def is_finishing(self) -> bool:
        """Whether it takes no turns any more, and something may still run in it."""
        return self.draining_at is not None and self.released_at is None


@dataclass(frozen=True)
class Fleet:
    """What the rows say at one moment."""

    waiting: int
    running: int
    oldest_at: datetime | None
    members: Sequence[Member]

    @property
    def demand(self) -> int:
        """Users who keep a cell busy, or would."""
        return self.waiting + self.running

    @property
    def cells(self) -> int:
        """Places for cells of the workers that take turns."""
        return sum(one.capacity for one in self.active)

    @property
    def active(self) -> Sequence[Member]:
        return [one for one in self.members if one.is_active]

    @property
    def finishing(self) -> Sequence[Member]:
        return [one for one in self.members if one.is_finishing]


def read(db: Session) -> Fleet:
    """Read who waits, who is answered, and the workers that were heard of lately."""
    waiting, running, oldest_at = db.execute(_DEMAND).one()
    columns = (
        *(Worker.id, Worker.version, Worker.capacity, Worker.spare, Worker.hot, Worker.busy),
        *(Worker.draining_at, Worker.released_at),
    )
    alive = select(*columns).where(Worker.stopped_at.is_(None), Worker.seen_at > alive_after())
    members = [Member(*row) for row in db.execute(alive.order_by(Worker.id))]
    return Fleet(waiting, running, oldest_at, members)


def note(db: Session, decision: ScalingDecision) -> None:
    """Keep what was decided."""
    db.add(decision)
    db.flush()


def last_decisions(db: Session, limit: int = 50) -> Sequence[ScalingDecision]:
    """List the newest decisions, newest first."""
    newest = select(ScalingDecision).order_by(ScalingDecision.id.desc()).limit(limit)
    return db.scalars(newest).all()
