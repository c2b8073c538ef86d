"""Which worker goes first for a person's next job."""

from datetime import timedelta
from uuid import UUID

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from models import database
from models.base import utc_now
from models.people import users
from models.schema.jobs import Job, JobStatus
from models.schema.users import User
from models.schema.workers import Worker
from settings import get_settings

# A new head goes first to the worker that holds the person's live files, for `:patience`. While it
# still saves them (`cell_worker_until` is in the future) nobody else may start at all: they would
# start from older files. Both NULL when no worker can have them any more: it has stopped, or has
# saved them and is about to, or the cell has been idle for `:kept`, after which it is ended. By the
# time that the statement began, so that both say the same.
_IS_HELD = """
    users.cell_worker_until > statement_timestamp() - CAST(:kept AS interval)
    AND NOT EXISTS (
        SELECT 1 FROM workers
        WHERE id = users.cell_worker_id
          AND (stopped_at IS NOT NULL
               OR draining_at IS NOT NULL AND users.cell_worker_until <= statement_timestamp())
    )
"""
PREFERRED_WORKER = f"CASE WHEN {_IS_HELD} THEN users.cell_worker_id END"
PREFERRED_UNTIL = f"""
    CASE WHEN {_IS_HELD}
         THEN greatest(users.cell_worker_until, clock_timestamp() + :patience) END
"""


def patience() -> timedelta:
    """How long a person's next job waits for the worker that holds their hot cell."""
    return timedelta(seconds=get_settings().hot_cell_preference_seconds)


def preference() -> dict[str, timedelta]:
    """Give the two statements above what they are bound to."""
    kept = timedelta(seconds=get_settings().hot_cell_idle_seconds)
    return {"patience": patience(), "kept": kept}


def release_affinity(db: Session, user: User, worker_id: UUID) -> None:
    """Let others take the next job of a locked account, whose files `worker_id` has now saved.

    After the usual patience; at once if it is about to stop.
    """
    if user.cell_worker_id != worker_id:
        return
    users.set_affinity(user, worker_id, database.clock(db))
    is_draining = db.scalar(select(Worker.draining_at).where(Worker.id == worker_id)) is not None
    db.execute(
        update(Job)
        .where(Job.user_id == user.id, Job.is_head, Job.status == JobStatus.PENDING)
        .values(
            preferred_until=func.clock_timestamp() + (timedelta(0) if is_draining else patience())
        )
    )


def may_warm(
    db: Session, user: User, worker_id: UUID, *, silent_after: timedelta, kept_for: timedelta
) -> bool:
    """Tell whether `worker_id` may put a locked account's files into a cell before they ask.

    Not while they have a job, or no credit; and not if another worker that lives had their cell
    less than `kept_for` ago: it has it still.
    """
    is_waited_for = select(Job.id).where(Job.user_id == user.id, Job.is_head)
    if user.spendable_micros <= 0 or db.scalar(is_waited_for) is not None:
        return False
    if user.cell_worker_id in {None, worker_id} or user.cell_worker_until is None:
        return True
    lives = (
        select(Worker.id)
        .where(Worker.id == user.cell_worker_id, Worker.stopped_at.is_(None))
        .where(Worker.seen_at > utc_now() - silent_after)
    )
    return user.cell_worker_until < utc_now() - kept_for or db.scalar(lives) is None


def drop_affinity(db: Session, worker_id: UUID) -> None:
    """Let anyone take the heads that wait for a worker which is about to stop.

    Those whose files it still saves wait for that.
    """
    # By the owners of these few jobs: no index says whose files a worker has.
    still_saves = select(User.id).where(
        User.id == Job.user_id,
        User.cell_worker_id == worker_id,
        User.cell_worker_until > func.clock_timestamp(),
    )
    db.execute(
        update(Job)
        .where(Job.status == JobStatus.PENDING, Job.is_head)
        .where(Job.preferred_worker_id == worker_id, ~still_saves.exists())
        .values(preferred_worker_id=None, preferred_until=None)
        .execution_options(synchronize_session=False)
    )


def drop_affinity_of_dead(db: Session, silent_after: timedelta) -> None:
    """Let anyone take the heads whose preferred worker has stopped, or is silent for so long."""
    alive = select(Worker.id).where(
        Worker.stopped_at.is_(None), Worker.seen_at > utc_now() - silent_after
    )
    db.execute(
        update(Job)
        .where(
            Job.status == JobStatus.PENDING,
            Job.is_head,
            Job.preferred_until > func.clock_timestamp(),
            Job.preferred_worker_id.not_in(alive),
        )
        .values(preferred_worker_id=None, preferred_until=None)
        .execution_options(synchronize_session=False)
    )
