"""Workers, as they report themselves."""

from dataclasses import asdict, dataclass
from datetime import timedelta
from uuid import UUID

from sqlalchemy import bindparam, func, select, update
from sqlalchemy.orm import Session

from models.base import utc_now
from models.schema.workers import Worker
from settings import get_settings

# Every page asks this; putting it together anew took as long as asking.
_COUNT_READY = select(func.count()).where(
    Worker.draining_at.is_(None),
    Worker.stopped_at.is_(None),
    Worker.seen_at > bindparam("seen_after"),
    Worker.spare + Worker.hot + Worker.busy > 0,
)


@dataclass(frozen=True)
class Use:
    """What the cells of a worker take, and how their boots went since it started."""

    memory_bytes: int
    memory_free_bytes: int
    boots: int
    boot_failures: int
    boot_ms: int | None


def register(db: Session, worker_id: UUID, host: str) -> Worker:
    """Add a worker that has just started."""
    worker = Worker(id=worker_id, host=host, version=get_settings().release)
    db.add(worker)
    db.flush()
    return worker


def report(
    db: Session, worker_id: UUID, *, sandbox: str, capacity: int, spare: int, hot: int, busy: int
) -> bool:
    """Say that a worker lives, and what its cells are doing; return whether it is to drain."""
    draining_at = db.scalar(
        update(Worker)
        .where(Worker.id == worker_id)
        .values(
            sandbox=sandbox, capacity=capacity, spare=spare, hot=hot, busy=busy, seen_at=utc_now()
        )
        .returning(Worker.draining_at)
    )
    return draining_at is not None


def report_use(db: Session, worker_id: UUID, use: Use) -> None:
    """Say what a worker's cells take, and how their boots went."""
    db.execute(update(Worker).where(Worker.id == worker_id).values(**asdict(use)))


def drain(db: Session, worker_id: UUID) -> None:
    """Say that a worker takes nothing more; it may be the worker that says so, or an operator.

    It notices at its next heartbeat.
    """
    is_new = Worker.draining_at.is_(None)
    db.execute(update(Worker).where(Worker.id == worker_id, is_new).values(draining_at=utc_now()))


def release(db: Session, worker_id: UUID) -> None:
    """Say that nothing runs in a draining worker any more: it may be stopped."""
    db.execute(update(Worker).where(Worker.id == worker_id).values(released_at=utc_now()))


def sign_off(db: Session, worker_id: UUID) -> None:
    """Say that a worker has stopped in good order."""
    db.execute(update(Worker).where(Worker.id == worker_id).values(stopped_at=utc_now()))


def list_helpers(db: Session, seen_within: timedelta) -> list[UUID]:
    """List the workers that were seen lately, first those to whom another cell costs least.

    Those are the ones with a free place; then those with the most cells that are idle.
    """
    seen_after = utc_now() - seen_within
    has_place = Worker.capacity > Worker.spare + Worker.hot + Worker.busy
    return list(
        db.scalars(
            select(Worker.id)
            .where(Worker.draining_at.is_(None), Worker.stopped_at.is_(None))
            .where(Worker.seen_at > seen_after)
            .order_by(has_place.desc(), Worker.hot.desc(), Worker.id)
        )
    )


def count_ready(db: Session, seen_within: timedelta) -> int:
    """Count the workers that were seen lately and have a cell that is warm or at work."""
    return db.scalar(_COUNT_READY, {"seen_after": utc_now() - seen_within}) or 0
