"""Who is first in the lane of a locked account."""

from uuid import UUID

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from models.schema.jobs import PRIORITIES, Job, JobOrigin

_STEP_ASIDE = text("""
    UPDATE jobs SET is_head = false
    WHERE user_id = :user_id AND is_head AND status = 'pending' AND priority > :priority
""")


def let_tasks_step_aside(db: Session, user_id: UUID) -> None:
    """Let a task that no worker has begun wait behind what its user sends now."""
    given = {"user_id": user_id, "priority": PRIORITIES[JobOrigin.USER]}
    db.execute(_STEP_ASIDE, given)


def has_no_head(db: Session, user_id: UUID) -> bool:
    """Tell whether all that waits has stepped aside for what comes now."""
    return db.scalar(select(Job.id).where(Job.user_id == user_id, Job.is_head)) is None
