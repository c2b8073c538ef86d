"""Messages that wait for credits: paused when these run out, let go when new ones come."""

from uuid import UUID

from sqlalchemy import func, select, text, update
from sqlalchemy.orm import Session

from models import ledger
from models.jobs.completion import promote, stop
from models.schema.jobs import Job, JobStatus
from models.schema.ledger import WriteOffReason
from models.schema.users import User
from settings import get_settings


def is_paused(db: Session, user: User) -> bool:
    """Whether what an account sends now waits for credits: there are none, or others wait.

    What a running call holds is no lack of them: most of it is free again in a moment. A later
    message never goes before an earlier one.
    """
    waits = select(Job.id).where(Job.user_id == user.id, Job.status == JobStatus.PAUSED)
    return user.credits_balance_micros <= 0 or db.scalar(waits.limit(1)) is not None


def has_room(db: Session, user: User) -> bool:
    """Whether a further message of a locked account may wait for credits."""
    paused = select(func.count()).where(Job.user_id == user.id, Job.status == JobStatus.PAUSED)
    return (db.scalar(paused) or 0) < get_settings().max_waiting_jobs_per_user


def pause(db: Session, job: Job) -> bool:
    """Let a running job, and all that waits behind it, wait for credits. Nothing of it was said.

    What its calls were charged is given back. If that does not fit into the day's cap nothing is
    paused, and False returned: nobody pays twice for one answer without being asked. A job that its
    user asked to stop is closed instead. The caller has locked the account and the job.
    """
    if job.stop_requested_at is not None:
        stop(db, job, was_shown=False)
        return True
    if ledger.refund_job(db, job.id, reason=WriteOffReason.OUT_OF_CREDIT).standing_micros:
        return False
    job.status, job.is_head = JobStatus.PAUSED, False
    job.lease_until, job.worker_id = None, None
    db.flush()
    db.execute(
        update(Job)
        .where(Job.user_id == job.user_id, Job.status == JobStatus.PENDING)
        .values(status=JobStatus.PAUSED, is_head=False)
        .execution_options(synchronize_session=False)
    )
    return True


_RESUME = text("""
    UPDATE jobs SET status = 'pending', ready_at = clock_timestamp()
    WHERE user_id = :user_id AND status = 'paused'
    RETURNING id
""")


# Of each user the job that goes first: by (user_id, id), as `ix_jobs_paused` has them. One that was
# tried has run dry, and would again. The others were paused as they came, or behind one of those.
_HELD_UP = text("""
    SELECT first.user_id FROM (
        SELECT DISTINCT ON (user_id) user_id, attempt FROM jobs
        WHERE status = 'paused' ORDER BY user_id, id
    ) AS first
    JOIN users ON users.id = first.user_id
    WHERE first.attempt = 0 AND users.spending_frozen_at IS NULL
        AND users.credits_balance_micros > users.credits_held_micros
    LIMIT :most
""")


def held_up(db: Session, limit: int = 100) -> list[UUID]:
    """List users whose messages wait for credits that are there.

    A charge was given back after they came, or what had run dry before them was taken back.
    """
    return list(db.scalars(_HELD_UP, {"most": limit}))


def resume_with_credits(db: Session, user_id: UUID) -> list[Job]:
    """Lock an account, and do as `resume` if it has credits that nothing holds; else return []."""
    user = ledger.lock_account(db, user_id)
    return resume(db, user_id) if user.credits_available_micros > 0 else []


def resume(db: Session, user_id: UUID) -> list[Job]:
    """Let all paused jobs of a locked account go on, in their order; return them.

    While its spending is frozen they would only fail: then they wait for the end of that.
    Tell the workers and the pages after the commit. The clock does so too, a little later.
    """
    if db.get_one(User, user_id).is_frozen:
        return []
    resumed = list(db.scalars(_RESUME, {"user_id": user_id}))
    if not resumed:
        return []
    head = select(Job.id).where(Job.user_id == user_id, Job.is_head)
    if db.scalar(head) is None:
        promote(db, [user_id])
    wanted = select(Job).where(Job.id.in_(resumed)).order_by(Job.id)
    return list(db.scalars(wanted.execution_options(populate_existing=True)))
