"""What was deleted and a person's saved files still know of: what is yet to be done."""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import delete as delete_from
from sqlalchemy import exists, func, or_, select, update
from sqlalchemy.orm import Session

from models.schema.chat import Conversation
from models.schema.erasures import Erasure
from models.schema.jobs import Job, JobStatus
from models.schema.users import User


def want(
    db: Session, user_id: UUID, conversation_id: UUID | None, paths: Sequence[str] = ()
) -> None:
    """Note that a person's files are to forget a conversation, which was just deleted.

    Files at `paths` of the workspace go with it; or they alone, where there is no conversation.
    """
    db.add(Erasure(user_id=user_id, conversation_id=conversation_id, paths=list(paths)))
    db.flush()


def want_message(
    db: Session,
    user_id: UUID,
    conversation_id: UUID,
    job_id: UUID | None,
    paths: Sequence[str] = (),
) -> None:
    """Note that the files of a person are to forget a message, by the job that answered it, if any.

    With it goes all that the assistant has of its conversation: what was made of a message there
    cannot be told from the rest. Files at `paths` of the workspace go too.
    """
    given = {"conversation_id": conversation_id, "job_id": job_id, "paths": list(paths)}
    db.add(Erasure(user_id=user_id, **given))
    db.flush()


def want_notes(db: Session, user_id: UUID) -> None:
    """Note that the files of a person are to know only the notes that are left."""
    db.add(Erasure(user_id=user_id))
    db.flush()


def pending(db: Session, user_id: UUID) -> list[Erasure]:
    """List what a person's files have not forgotten yet."""
    return list(db.scalars(select(Erasure).where(Erasure.user_id == user_id)))


def claim(db: Session, user_id: UUID, lease: timedelta) -> list[Erasure]:
    """Take all that a locked person's files have not forgotten; nothing if somebody has some of it.

    Nobody else is given any before `release`, or before the lease is over: its worker died.
    """
    # The same for all rows: `release` knows them by it.
    now = func.statement_timestamp()
    is_taken = exists().where(Erasure.user_id == user_id, Erasure.leased_until > now)
    if db.scalar(select(is_taken)):
        return []
    return list(
        db.scalars(
            update(Erasure)
            .where(Erasure.user_id == user_id)
            .values(tried_at=now, leased_until=now + lease)
            .returning(Erasure)
        )
    )


def release(db: Session, ids: Collection[UUID], until: datetime | None) -> None:
    """Let somebody else try what was claimed `until` then, unless somebody has it by now."""
    db.execute(
        update(Erasure)
        .where(Erasure.id.in_(ids), Erasure.leased_until == until)
        .values(leased_until=None)
    )


def is_any(db: Session, user_id: UUID) -> bool:
    """Tell whether there is anything that a person's files are to forget before their next turn."""
    return bool(db.scalar(select(exists().where(Erasure.user_id == user_id))))


def jobs_of(db: Session, erasures: Collection[Erasure]) -> list[UUID]:
    """List the jobs of these conversations and messages: their files are named by them.

    Of a conversation that is still there none is listed: a message that no job answered left it.
    """
    whole = [one.conversation_id for one in erasures if one.conversation_id and one.job_id is None]
    single = [one.job_id for one in erasures if one.job_id is not None]
    gone = select(Conversation.id).where(
        Conversation.id.in_(whole), Conversation.deleted_at.is_not(None)
    )
    return list(db.scalars(select(Job.id).where(Job.conversation_id.in_(gone)))) + single


def is_free(db: Session, user: User) -> bool:
    """Tell whether nobody is at work on a locked person's files, nor about to save them."""
    is_running = exists().where(Job.user_id == user.id, Job.status == JobStatus.RUNNING)
    is_saving = exists().where(User.id == user.id, User.cell_worker_until > func.clock_timestamp())
    return not any(db.execute(select(is_running, is_saving)).one())


def due(db: Session, *, before: datetime, limit: int) -> Sequence[UUID]:
    """List people whose files are to forget something that nobody has tried since `before`.

    First those who have waited longest: not all of a list may be begun.
    """
    is_due = or_(Erasure.tried_at.is_(None), Erasure.tried_at < before)
    return db.scalars(
        select(Erasure.user_id)
        .where(is_due, Erasure.created_at < before)
        .group_by(Erasure.user_id)
        .order_by(func.max(Erasure.tried_at).nulls_first(), func.min(Erasure.created_at))
        .limit(limit)
    ).all()


def done(db: Session, ids: Collection[UUID]) -> None:
    """Strike out what was forgotten everywhere."""
    if ids:
        db.execute(delete_from(Erasure).where(Erasure.id.in_(ids)))
