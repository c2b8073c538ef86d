"""Questions with their answers: what the assistant should still know from elsewhere."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    DateTime,
    Executable,
    Integer,
    ScalarSelect,
    Uuid,
    and_,
    bindparam,
    exists,
    func,
    literal,
    or_,
    select,
)
from sqlalchemy.orm import Session, aliased

from models.schema.chat import ASSISTANT, Conversation, Message, Role
from models.schema.jobs import Job, JobStatus
from models.schema.snapshots import StateSnapshot


@dataclass(frozen=True)
class Exchange:
    conversation_id: UUID
    conversation_title: str
    asked: str
    answered: str
    at: datetime


def recent(
    db: Session, user_id: UUID, conversation_id: UUID, *, saved: StateSnapshot | None, limit: int
) -> list[Exchange]:
    """List a person's latest exchanges, oldest first, that this conversation is to be told of.

    A new one is told those of other conversations. Any is told, when a worker died between
    answering and saving, those that are newer than the `saved` files; and one of which a message
    was deleted is told what is left of it, until a turn that was told so is saved. Those that are
    not to be remembered are told nowhere else.
    """
    wanted = {
        "user": user_id,
        "conversation": conversation_id,
        "saved_job": saved.job_id if saved else None,
        "saved_at": saved.created_at if saved else None,
        "limit": limit,
    }
    return [Exchange(*row) for row in reversed(db.execute(_RECENT, wanted).all())]


def has_saved_answer(db: Session, talk: Conversation, saved: StateSnapshot | None) -> bool:
    """Tell whether the `saved` files have an answer that began after all that they were to forget.

    A reminder that was said in the conversation tells the assistant nothing, and what a turn that
    failed was told may have gone with its cell.
    """
    if saved is None:
        return False
    last_saved = _last_saved(Job.id == saved.job_id, literal(saved.created_at))
    answered = select(Job.id).where(
        Job.conversation_id == talk.id,
        Job.status == JobStatus.COMPLETED,
        Job.started_at > (talk.forgotten_at or talk.created_at),
        Job.finished_at <= last_saved,
    )
    return db.scalar(answered.limit(1)) is not None


def _last_saved(
    whose: ColumnElement[bool], saved_at: ColumnElement[datetime]
) -> ScalarSelect[datetime]:
    """Return until when answers are in the saved files.

    That is the end of the last turn in them, unless that was tried again after they were saved.
    """
    return select(func.least(Job.finished_at, saved_at)).where(whose).scalar_subquery()


def _recent() -> Executable:
    """Made once: to put it together takes longer than to have it answered."""
    asked, answered = aliased(Message), aliased(Message)
    saved_job = bindparam("saved_job", type_=Uuid())
    here = bindparam("conversation", type_=Uuid())
    is_begun = exists().where(Message.conversation_id == here, Message.role == Role.ASSISTANT)
    saved_at = bindparam("saved_at", type_=DateTime(timezone=True))
    last_saved = _last_saved(Job.id == saved_job, saved_at)
    # What was deleted of it went with all that the files had of it. They have it again once a turn
    # that began after that is saved: no reminder that was said in it tells the assistant anything,
    # and what a turn that failed was told may have gone with its cell.
    here_now, since = aliased(Conversation), aliased(Job)
    is_to_be_told_anew = (
        exists()
        .where(here_now.id == here, here_now.forgotten_at.is_not(None))
        .where(
            ~exists().where(
                since.conversation_id == here,
                since.status == JobStatus.COMPLETED,
                since.started_at > here_now.forgotten_at,
                since.finished_at <= last_saved,
            )
        )
    )
    return (
        select(Conversation.id, Conversation.title, asked.text, answered.text, asked.created_at)
        .join(Job, Job.message_id == asked.id)
        .join(answered, and_(answered.job_id == Job.id, answered.role == ASSISTANT))
        .join(Conversation, Conversation.id == Job.conversation_id)
        .where(
            Job.user_id == bindparam("user", type_=Uuid()),
            Conversation.deleted_at.is_(None),
            or_(Conversation.is_remembered, Job.conversation_id == here),
            or_(
                and_(Job.conversation_id == here, is_to_be_told_anew),
                and_(Job.conversation_id != here, ~is_begun),
                saved_job.is_(None),
                Job.finished_at > last_saved,
            ),
        )
        .order_by(Job.id.desc())
        .limit(bindparam("limit", type_=Integer()))
    )


_RECENT = _recent()
