"""Calls whose worker died, or whose job is over: nobody will say any more what they used."""

from datetime import timedelta
from uuid import UUID

from sqlalchemy import and_, or_, select
from sqlalchemy.orm import Session

from models.base import utc_now
from models.ledger.calls import lose_call
from models.ledger.reversals import GivenBack, refund_job
from models.schema.jobs import OVER, Job, JobStatus
from models.schema.ledger import WriteOffReason
from models.schema.model_calls import CallKind, CallStatus, ModelCall
from settings import get_settings


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


def owner_of_call(db: Session, call_id: UUID) -> UUID:
    """Return whose call it is."""
    return db.scalars(select(ModelCall.user_id).where(ModelCall.id == call_id)).one()


def orphans(db: Session, older_than: timedelta) -> list[UUID]:
    """List calls that stayed open though their job has been over for so long: to be absorbed.

    So are those of an attempt that was given up, and of transcriptions those that should have ended
    so long ago. Only a process that died or lost the database in that very moment leaves one.
    """
    latest = utc_now() - older_than
    listening = timedelta(seconds=get_settings().transcription_timeout_seconds)
    wanted = (
        select(ModelCall.id)
        .outerjoin(Job, Job.id == ModelCall.job_id)
        .where(
            ModelCall.status == CallStatus.OPEN,
            or_(
                and_(Job.status.in_(OVER), Job.finished_at < latest),
                # Its attempt was given up: the job goes on without it, or waits for credits, which
                # such a call holds.
                and_(
                    or_(Job.attempt != ModelCall.attempt, Job.status == JobStatus.PAUSED),
                    ModelCall.created_at < latest,
                ),
                and_(
                    ModelCall.kind == CallKind.TRANSCRIPTION,
                    ModelCall.created_at < latest - listening,
                ),
            ),
        )
        .order_by(ModelCall.id)
        .limit(100)
    )
    return list(db.scalars(wanted))
