"""Workers, as admins see them: alive, draining, gone; and what each has done lately."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from models import ledger
from models.ops.right_now import alive_after
from models.schema.jobs import Job, JobStatus
from models.schema.workers import Worker

LATELY = timedelta(hours=1)
# Who is gone is shown for so long.
SHOWN = timedelta(days=1)
MOST = 200


@dataclass(frozen=True)
class WorkerState:
    """A worker, whether it is alive, and the turns that it ended within the last hour."""

    worker: Worker
    is_alive: bool
    turns: int
    failures: int
    running: int

    @property
    def is_draining(self) -> bool:
        return self.is_alive and self.worker.draining_at is not None

    @property
    def may_be_drained(self) -> bool:
        worker = self.worker
        return self.is_alive and not (worker.draining_at or worker.drain_asked_at)

    @property
    def is_silent(self) -> bool:
        """Whether it fell silent without signing off."""
        return not self.is_alive and self.worker.stopped_at is None

    @property
    def free(self) -> int:
        """Places for cells that are empty."""
        worker = self.worker
        return max(worker.capacity - worker.busy - worker.hot - worker.spare, 0)


@dataclass(frozen=True)
class Orphans:
    """What workers that are gone have left: jobs with a lease, and calls of models still open."""

    jobs: int
    calls: int


def count_orphans(db: Session) -> Orphans:
    """Count what the clock will take back or close in a moment; more than that is a trouble."""
    alive = select(Worker.id).where(Worker.stopped_at.is_(None), Worker.seen_at > alive_after())
    left = select(func.count()).where(Job.status == JobStatus.RUNNING, Job.worker_id.not_in(alive))
    calls = ledger.orphans(db, timedelta(0))
    return Orphans(db.scalar(left) or 0, len(calls))


def read(db: Session, now: datetime) -> Sequence[WorkerState]:
    """List the workers that were heard of within a day: those that are alive first."""
    known = select(Worker).where(Worker.seen_at > now - SHOWN).order_by(Worker.seen_at.desc())
    ended = (
        select(
            Job.worker_id,
            func.count(),
            func.count().filter(Job.status == JobStatus.FAILED),
        )
        .where(Job.finished_at > now - LATELY, Job.worker_id.is_not(None))
        .group_by(Job.worker_id)
    )
    running = (
        select(Job.worker_id, func.count())
        .where(Job.status == JobStatus.RUNNING)
        .group_by(Job.worker_id)
    )
    turns = {worker: (count, failed) for worker, count, failed in db.execute(ended)}
    at_work = dict(db.execute(running).all())
    oldest = alive_after()
    states = [
        WorkerState(
            worker,
            worker.stopped_at is None and worker.seen_at > oldest,
            *turns.get(worker.id, (0, 0)),
            at_work.get(worker.id, 0),
        )
        for worker in db.scalars(known.limit(MOST))
    ]
    return sorted(states, key=lambda state: not state.is_alive)
