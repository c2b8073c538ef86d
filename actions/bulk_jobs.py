"""Works off what admins ordered for all jobs of a filter, batch by batch, wherever it was left."""

from collections.abc import Sequence
from uuid import UUID

import dramatiq
import structlog
from sqlalchemy.orm import Session

from actions import offers, wakeups
from actions.announcements import StreamPublisher, announce_queued
from actions.broker import get_broker
from actions.channels import following
from gateways import values
from gateways.live_events import JobEnded, StopRequested
from models.database import after_commit, unit_of_work
from models.ops import bulk_orders, switches
from models.schema.bulk_orders import BulkKind, BulkOrder
from models.schema.jobs import Job
from models.schema.users import User

log = structlog.get_logger()

# Each of these locks an account and looks at its limits.
RETRIED_AT_ONCE = 50


@dramatiq.actor(broker=get_broker(), actor_name=wakeups.BULK, queue_name=wakeups.ANSWERS_QUEUE)
def work_off(order_id: str) -> None:
    """Do all that is left of an order; told twice, nothing is done twice."""
    run(values.uuid(order_id))


def run(order_id: UUID) -> None:
    """Do all that is left of an order, a transaction for each batch."""
    while True:
        with unit_of_work() as db:
            switches.current(db)
            bulk = bulk_orders.take(db, order_id)
            if bulk is None:
                return
            _do_batch(db, bulk)
            is_over = bulk.finished_at is not None
        if is_over:
            log.info("bulk.done", order_id=str(order_id), done=bulk.done, skipped=bulk.skipped)
            return


def resume_open() -> None:
    """Go on with orders whose process died, or was never woken.

    One that fails holds up no other; it is tried again with the next call.
    """
    with unit_of_work() as db:
        left = bulk_orders.list_open(db)
    for order_id in left:
        try:
            run(order_id)
        except Exception:
            log.exception("bulk.failed", order_id=str(order_id))


def _do_batch(db: Session, bulk: BulkOrder) -> None:
    if bulk.kind is BulkKind.CANCEL:
        found = bulk_orders.next_batch(db, bulk)
        touched = bulk_orders.cancel_batch(db, bulk, found) if found else ()
        after_commit(db, lambda: _tell(touched))
        return
    for failed in bulk_orders.next_batch(db, bulk, RETRIED_AT_ONCE):
        job = _retry(db, bulk, failed)
        if job is not None:
            following.expect(db, job)
            announce_queued(db, job, StreamPublisher())


def _retry(db: Session, bulk: BulkOrder, failed: Job) -> Job | None:
    """Queue another job for the message of one; None, and counted, if that must be refused."""
    try:
        model = offers.current(db.get_one(User, failed.user_id))
    except offers.NothingOffered:
        bulk.skipped += 1
        return None
    return bulk_orders.retry_one(db, bulk, failed, model=model.id)


def _tell(touched: Sequence[Job]) -> None:
    publisher = StreamPublisher()
    for job in touched:
        if job.is_over:
            publisher.announce(job.conversation_id, job.id, JobEnded(job.status))
        else:
            wakeups.stop(job.id)
            publisher.announce(job.conversation_id, job.id, StopRequested())
    wakeups.answer()
