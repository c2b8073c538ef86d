"""What users, their assistants and pages ask about reminders."""

from collections.abc import Iterable, Sequence
from uuid import UUID

from sqlalchemy import ColumnElement, case, func, select
from sqlalchemy.orm import Session, aliased

from models.errors import NotFound
from models.reminders import recurrence
from models.reminders.recurrence import Recurrence
from models.schema.chat import Message, Role
from models.schema.reminders import Reminder, ReminderFiring, ReminderKind, ReminderStatus

MOST_OPEN = 200
OPEN = (ReminderStatus.ACTIVE, ReminderStatus.PAUSED)


def as_kept(words: str) -> str:
    """Return words as a reminder has them: in one line, with single spaces."""
    return " ".join(words.split())


def find_own(db: Session, user_id: UUID, reminder_id: UUID) -> Reminder:
    """Find one of a user's reminders and lock it, or raise NotFound."""
    return _found(db, user_id, Reminder.id == reminder_id)


def find_by_number(db: Session, user_id: UUID, number: int) -> Reminder:
    """Find the user's reminder of this number and lock it, or raise NotFound."""
    return _found(db, user_id, Reminder.number == number)


def find_fired(db: Session, user_id: UUID, firing_id: UUID) -> Reminder:
    """Find the user's reminder that fired so, and lock it, or raise NotFound."""
    return _found(db, user_id, _of_firing(ReminderFiring.id == firing_id))


def find_said(db: Session, user_id: UUID, message_id: UUID) -> Reminder:
    """Find the user's reminder that said this message, and lock it, or raise NotFound."""
    return _found(db, user_id, _of_firing(ReminderFiring.message_id == message_id))


def _of_firing(condition: ColumnElement[bool]) -> ColumnElement[bool]:
    return Reminder.id.in_(select(ReminderFiring.reminder_id).where(condition))


def list_open(db: Session, user_id: UUID, limit: int = MOST_OPEN) -> Sequence[Reminder]:
    """List what will fire, the next first, then what is paused."""
    return db.scalars(
        select(Reminder)
        .where(Reminder.user_id == user_id, Reminder.status.in_(OPEN))
        .order_by(case((Reminder.due_at.is_(None), 1), else_=0), Reminder.due_at, Reminder.number)
        .limit(limit)
    ).all()


def list_fired(
    db: Session, user_id: UUID, *, before: UUID | None = None, limit: int = 50
) -> Sequence[ReminderFiring]:
    """List when a user's reminders fired, the latest first, or what comes after `before` there."""
    wanted = select(ReminderFiring).where(ReminderFiring.user_id == user_id)
    if before is not None:
        wanted = wanted.where(ReminderFiring.id < before)
    return db.scalars(wanted.order_by(ReminderFiring.id.desc()).limit(limit)).all()


def list_fired_before(db: Session, message: Message, limit: int = 10) -> Sequence[ReminderFiring]:
    """List what fired in a conversation between a user's message and the one before, in order."""
    earlier = aliased(Message)
    before = (
        select(earlier.id)
        .where(
            earlier.conversation_id == message.conversation_id,
            earlier.role == Role.USER,
            earlier.id < message.id,
        )
        .order_by(earlier.id.desc())
        .limit(1)
    )
    said = aliased(Message)
    found = db.scalars(
        select(ReminderFiring)
        .join(said, said.id == ReminderFiring.message_id)
        .where(
            said.conversation_id == message.conversation_id,
            ReminderFiring.job_id.is_(None),
            said.id < message.id,
            said.id > func.coalesce(before.scalar_subquery(), UUID(int=0)),
        )
        .order_by(ReminderFiring.id.desc())
        .limit(limit)
    ).all()
    return found[::-1]


def conversations_of(db: Session, fired: Iterable[ReminderFiring]) -> dict[UUID, UUID]:
    """Say by message in which conversation it is shown of what has fired; hidden ones are not."""
    ids = [one.message_id for one in fired if one.message_id is not None]
    shown = select(Message.id, Message.conversation_id).where(
        Message.id.in_(ids), ~Message.is_hidden
    )
    return {row[0]: row[1] for row in db.execute(shown)}


def find_same(
    db: Session,
    user_id: UUID,
    words: str,
    wanted: Recurrence,
    kind: ReminderKind = ReminderKind.REMINDER,
    *,
    tell_only_if: str = "",
) -> Reminder | None:
    """Return the user's reminder that says the same at the same times; None if there is none.

    So an assistant whose answer is tried again reminds of nothing twice.
    """
    open_ones = select(Reminder).where(
        Reminder.user_id == user_id,
        Reminder.status.in_(OPEN),
        Reminder.words == as_kept(words),
        Reminder.kind == kind,
        Reminder.tell_only_if == (as_kept(tell_only_if) if kind is ReminderKind.TASK else ""),
    )
    found = db.scalars(open_ones.order_by(Reminder.number))
    return next((one for one in found if recurrence.of(one) == wanted), None)


def _found(db: Session, user_id: UUID, condition: ColumnElement[bool]) -> Reminder:
    reminder = db.scalar(
        select(Reminder)
        .where(Reminder.user_id == user_id, condition)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    if reminder is None:
        raise NotFound
    return reminder
