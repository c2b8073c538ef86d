"""Questions with their answers: what the assistant should still know from elsewhere."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import and_, or_, select, true
from sqlalchemy.orm import Session, aliased

from models.conversations import Conversation, Message, Role
from models.jobs import Job
from models.snapshots import StateSnapshot


@dataclass(frozen=True)
class Exchange:
    conversation_title: str
    asked: str
    answered: str
    at: datetime


def recent(
    db: Session, user_id: UUID, conversation_id: UUID, *, saved: StateSnapshot | None, limit: int
) -> list[Exchange]:
    """List a person's latest exchanges, oldest first, that this conversation cannot know of.

    Those are the ones of other conversations, and, when a worker died between answering and saving,
    those of this one that are newer than the `saved` files.
    """
    asked, answered = aliased(Message), aliased(Message)
    unknown = Job.conversation_id != conversation_id
    if saved is None:
        unknown = true()
    else:
        last_saved = select(Job.finished_at).where(Job.id == saved.job_id).scalar_subquery()
        unknown = or_(unknown, Job.finished_at > last_saved)
    rows = db.execute(
        select(Conversation.title, asked.text, answered.text, asked.created_at)
        .join(Job, Job.message_id == asked.id)
        .join(answered, and_(answered.job_id == Job.id, answered.role == Role.ASSISTANT))
        .join(Conversation, Conversation.id == Job.conversation_id)
        .where(Job.user_id == user_id, Conversation.deleted_at.is_(None), unknown)
        .order_by(Job.id.desc())
        .limit(limit)
    ).all()
    return [Exchange(*row) for row in reversed(rows)]
