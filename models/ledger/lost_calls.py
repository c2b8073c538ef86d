"""Calls whose worker died, or whose job is over: nobody will say any more what they used."""

from datetime import timedelta
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.base import utc_now
from models.ledger.calls import CallStatus, ModelCall, lose_call
from models.ledger.entries import WriteOffReason
from models.ledger.refunding import GivenBack, refund_job


def absorb_abandoned(db: Session, job_id: UUID, attempt: int) -> GivenBack:
    """Close what a dead worker left open, at our expense, and give back what it had charged."""
    still_open = select(ModelCall.id).where(
        ModelCall.job_id == job_id,
        ModelCall.attempt == attempt,
        ModelCall.status == CallStatus.OPEN,
    )
    for call_id in db.scalars(still_open).all():
        lose_call(db, call_id)
    return refund_job(db, job_id, attempt=attempt, reason=WriteOffReason.WORKER_LOST)


def absorb_orphans(db: Session, older_than: timedelta) -> int:
    """Close, at our expense, the calls that stayed open though their job is over; return how many.

    Only a worker that died or lost the database in that very moment leaves one.
    """
    from models.jobs.table import OVER, Job  # noqa: PLC0415  # jobs need the ledger

    orphans = (
        select(ModelCall.id)
        .join(Job, Job.id == ModelCall.job_id)
        .where(
            ModelCall.status == CallStatus.OPEN,
            Job.status.in_(OVER),
            Job.finished_at < utc_now() - older_than,
        )
        # Whoever locks several accounts does so in the order of their ids.
        .order_by(ModelCall.user_id)
        .limit(100)
    )
    found = db.scalars(orphans).all()
    for call_id in found:
        lose_call(db, call_id)
    return len(found)
