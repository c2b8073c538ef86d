"""How a job ends, and how the next of its lane moves up."""

from datetime import timedelta
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from models import conversations, ledger
from models.base import utc_now
from models.conversations import Conversation, Message, Role
from models.jobs.preferring import prefer
from models.jobs.table import Job, JobStatus


def complete(db: Session, job: Job, answer: str, html: str) -> Message | None:
    """Write the answer and close the job. `job` comes from `still_ours`."""
    reply = _reply(db, job, answer, html)
    _close(db, job, JobStatus.COMPLETED)
    return reply


def fail(  # what is kept of it is by name
    db: Session,
    job: Job,
    reason: str,
    *,
    code: str,
    is_free: bool = True,
    answer: str = "",
    html: str = "",
) -> None:
    """Close a job that failed; `reason` is what the person reads, `answer` what they have of it.

    Its charges are given back, unless it is not `is_free`: who ran out of credit in the middle of
    an answer pays for the part that they keep.
    """
    if is_free:
        ledger.refund_job(db, job.id, note="No answer came of it.")
    if answer:
        _reply(db, job, answer, html)
    job.failure, job.failure_code = reason, code
    _close(db, job, JobStatus.FAILED)


def stop(db: Session, job: Job, *, answer: str = "", html: str = "") -> Message | None:
    """Close a job that the person stopped, keeping what had been written so far."""
    reply = _reply(db, job, answer, html) if answer else None
    _close(db, job, JobStatus.CANCELLED)
    return reply


def hand_back(db: Session, job: Job, *, wait: timedelta) -> None:
    """Let any worker try a running job again after `wait`; it keeps its place in the lane."""
    job.status = JobStatus.PENDING
    job.lease_until = None
    job.worker_id = None
    job.ready_at = utc_now() + wait
    db.flush()


def _reply(db: Session, job: Job, answer: str, html: str) -> Message | None:
    conversation = db.get_one(Conversation, job.conversation_id)
    if conversation.deleted_at is not None:
        # It was deleted while this was being written: then nothing of it is kept.
        return None
    return conversations.say(db, conversation, Role.ASSISTANT, answer, html=html, job_id=job.id)


def _close(db: Session, job: Job, status: JobStatus) -> None:
    was_head = job.is_head
    job.status = status
    job.is_head = False
    job.lease_until = None
    job.finished_at = utc_now()
    db.flush()
    if was_head:
        _promote(db, job.user_id)


def _promote(db: Session, user_id: UUID) -> None:
    """Make the oldest waiting job of a locked account the head of its lane."""
    user = ledger.lock_account(db, user_id)
    following = db.scalar(
        select(Job)
        .where(Job.user_id == user_id, Job.status == JobStatus.PENDING, ~Job.is_head)
        .order_by(Job.id)
        .limit(1)
        .with_for_update()
    )
    if following is not None:
        following.is_head = True
        # Behind the heads of all others who wait: people take turns.
        following.ready_at = utc_now()
        prefer(following, user)
        db.flush()
