"""What an admin does to all jobs of a filter at once: the number is shown, then it is ordered.

An order is a row that is worked off in batches, each a transaction of its own, so a process that
dies leaves nothing half done, and accounts are locked for moments only. See `actions.bulk_jobs`.
"""

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

from sqlalchemy import Select, func, select, text
from sqlalchemy.orm import Session

from models import jobs
from models.base import utc_now
from models.errors import Refused
from models.jobs.completion import promote, stop
from models.jobs.queries import UNFINISHED
from models.ops import admin_actions, job_list
from models.ops.admin_actions import Change, Order
from models.ops.job_list import Wanted
from models.ops.retention import first_id
from models.people.admin_roles import Permission
from models.schema.admins import AdminActionKind
from models.schema.bulk_orders import BulkKind, BulkOrder
from models.schema.jobs import Job, JobStatus
from models.schema.users import User

# More than any queue holds; whoever wants more does it twice.
MOST = 50_000
BATCH = 500
RETRIED_WITHIN = timedelta(days=30)
KINDS = {
    BulkKind.CANCEL: AdminActionKind.JOBS_CANCELLED,
    BulkKind.RETRY: AdminActionKind.JOBS_RETRIED,
}


class NothingInBulk(Refused):
    """No job fits the filter that this could be done to."""

    code = "nothing_in_bulk"


class TooManyInBulk(Refused):
    """More than `most` jobs fit the filter."""

    code = "too_many_in_bulk"


class MoreThanShown(Refused):
    """More jobs fit the filter by now than the number that was shown."""

    code = "more_than_shown"


def count(db: Session, kind: BulkKind, wanted: Wanted, before_id: UUID) -> int:
    """Count the jobs that an order would be about, up to one more than MOST."""
    found = _matching(kind, wanted, before_id).with_only_columns(Job.id).limit(MOST + 1)
    return db.scalar(select(func.count()).select_from(found.subquery())) or 0


def place(  # what was shown is by name
    db: Session, order: Order, kind: BulkKind, wanted: Wanted, *, before_id: UUID, shown: int
) -> None:
    """Order it for the jobs before `before_id`, and log it: once, with the number.

    Refuses no jobs, more than MOST, and more than were `shown`. Done once under its key.
    """
    if not admin_actions.admit(db, order, needs=Permission.ACT):
        return
    found = count(db, kind, wanted, before_id)
    if not found:
        raise NothingInBulk
    if found > MOST:
        raise TooManyInBulk(most=MOST)
    if found > shown:
        raise MoreThanShown
    db.add(
        BulkOrder(
            id=order.key,
            kind=kind,
            state=wanted.state,
            code=wanted.code,
            model=wanted.model,
            before_id=before_id,
            shown=found,
            admin_id=order.admin.id,
        )
    )
    about = {"jobs": found, "state": wanted.state, "code": wanted.code, "model": wanted.model}
    admin_actions.note(db, order, KINDS[kind], None, change=Change(dict.fromkeys(about), about))


def list_recent(db: Session, limit: int) -> Sequence[BulkOrder]:
    """List orders, the latest first."""
    return db.scalars(select(BulkOrder).order_by(BulkOrder.created_at.desc()).limit(limit)).all()


def list_open(db: Session) -> Sequence[UUID]:
    """List the orders that are not worked off."""
    return db.scalars(select(BulkOrder.id).where(BulkOrder.finished_at.is_(None))).all()


def take(db: Session, order_id: UUID) -> BulkOrder | None:
    """Lock an order to work a batch off; None when it is done, or somebody else is at it."""
    wanted = select(BulkOrder).where(BulkOrder.id == order_id, BulkOrder.finished_at.is_(None))
    locked = wanted.with_for_update(skip_locked=True)
    return db.scalar(locked.execution_options(populate_existing=True))


def next_batch(db: Session, bulk: BulkOrder, limit: int = BATCH) -> Sequence[Job]:
    """Return the next jobs of a locked order, the latest first, and move on; none ends it.

    The last of a lane comes first: else cancelling one would only move the next one up.
    """
    wanted = Wanted(bulk.state, bulk.code, bulk.model)
    newest = _matching(bulk.kind, wanted, bulk.before_id).order_by(Job.id.desc()).limit(limit)
    found = db.scalars(newest).all()
    if found:
        bulk.before_id = found[-1].id
    else:
        bulk.finished_at = utc_now()
    db.flush()
    return found


def cancel_batch(db: Session, bulk: BulkOrder, found: Sequence[Job]) -> Sequence[Job]:
    """Close those of the jobs that wait, and ask workers to stop those that run; return both.

    What an attempt that came to nothing had been charged is given back. What is over by now stays.
    """
    lanes = sorted({job.user_id for job in found})
    # In the order of their ids, as everybody does who locks several.
    db.execute(select(User.id).where(User.id.in_(lanes)).order_by(User.id).with_for_update())
    again = select(Job).where(Job.id.in_([job.id for job in found])).order_by(Job.id.desc())
    locked = db.scalars(again.with_for_update().execution_options(populate_existing=True)).all()
    running = [job for job in locked if job.status is JobStatus.RUNNING]
    waiting = [job for job in locked if job.status in {JobStatus.PENDING, JobStatus.PAUSED}]
    heads = [job.user_id for job in waiting if job.is_head]
    db.execute(_CANCEL, {"ids": [job.id for job in waiting if not job.attempt]})
    for job in waiting:
        if job.attempt:
            stop(db, job, was_shown=False)
    for job in running:
        job.stop_requested_at = job.stop_requested_at or utc_now()
    db.flush()
    promote(db, _without_head(db, heads))
    db.scalars(again.execution_options(populate_existing=True)).all()
    bulk.done += len(running) + len(waiting)
    bulk.skipped += len(found) - len(running) - len(waiting)
    return [*waiting, *running]


def retry_one(db: Session, bulk: BulkOrder, failed: Job, *, model: str) -> Job | None:
    """Queue another job for the message of one; None, and counted, if that must be refused."""
    try:
        with db.begin_nested():
            job = jobs.ask_again(db, failed, model=model)
    except Refused:
        bulk.skipped += 1
        return None
    bulk.done += 1
    return job


_CANCEL = text("""
    UPDATE jobs SET status = 'cancelled', is_head = false, finished_at = clock_timestamp()
    WHERE id = ANY (:ids) AND status IN ('pending', 'paused')
""")


def _without_head(db: Session, users: Sequence[UUID]) -> Sequence[UUID]:
    has_head = set(db.scalars(select(Job.user_id).where(Job.user_id.in_(users), Job.is_head)))
    return [one for one in users if one not in has_head]


def _matching(kind: BulkKind, wanted: Wanted, before_id: UUID) -> Select[Job]:
    fitting = job_list.matching(wanted).where(Job.id < before_id)
    if kind is BulkKind.CANCEL:
        return fitting.where(job_list.is_in(*UNFINISHED))
    # Nobody waits any more for what is older, and of it there is ever more.
    fitting = fitting.where(Job.id > first_id(utc_now() - RETRIED_WITHIN))
    if wanted.state is JobStatus.CANCELLED:
        return fitting
    # What was stopped is not wanted, unless it is asked for by its state.
    return fitting.where(job_list.is_in(JobStatus.FAILED))
