"""A user's reminders: setting, changing, pausing, snoozing and cancelling them.

Whoever changes a reminder locks its row; so it never fires once it was cancelled, and a clock that
is about to fire it comes first or not at all.
"""

from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from models import database, ledger
from models.errors import Refused
from models.periods import zone_of
from models.reminders import choices, recurrence, timing
from models.reminders.queries import MOST_OPEN, OPEN, as_kept
from models.reminders.recurrence import Recurrence
from models.schema.reminders import (
    Reminder,
    ReminderFiring,
    ReminderKind,
    ReminderStatus,
)
from models.schema.users import User

WORDS_MAX_LENGTH = 500
LONGEST_SNOOZE = timedelta(days=366)


class BadWords(Refused):
    """A reminder says nothing, or too much."""

    code = "bad_reminder_words"


class TooManyReminders(Refused):
    """A user has as many reminders as one may have."""

    code = "too_many_reminders"


class BadSnooze(Refused):
    """A reminder is to be snoozed until a time that is over, or too far away."""

    code = "bad_snooze"


class ReminderOver(Refused):
    """A reminder has ended or was cancelled."""

    code = "reminder_over"


def create(
    db: Session,
    user_id: UUID,
    words: str,
    wanted: Recurrence,
    *,
    conversation_id: UUID | None = None,
    kind: ReminderKind = ReminderKind.REMINDER,
    tell_only_if: str = "",
) -> Reminder:
    """Set a reminder, or a task, by the clocks of the user's zone.

    What a task finds is told only if `tell_only_if` holds; "" for always. Raises BadWords,
    BadRecurrence, TimeIsOver and TooManyReminders.
    """
    clean = _clean(words)
    user = ledger.lock_account(db, user_id)
    due_at = timing.first_due(db, user.timezone, wanted)
    _refuse_if_many(db, user_id)
    reminder = Reminder(
        user_id=user_id,
        conversation_id=conversation_id,
        number=_next_number(db, user_id),
        kind=kind,
        tell_only_if=_condition(kind, tell_only_if),
        words=clean,
        timezone=user.timezone,
        status=ReminderStatus.ACTIVE,
        **timing.columns(wanted),
    )
    timing.schedule(reminder, due_at)
    db.add(reminder)
    db.flush()
    return reminder


def choose_kind(reminder: Reminder, kind: ReminderKind, tell_only_if: str) -> None:
    """Let a locked reminder be a task from now on, or no more. Raises BadWords."""
    reminder.kind, reminder.tell_only_if = kind, _condition(kind, tell_only_if)


def edit(db: Session, user: User, reminder: Reminder, words: str, wanted: Recurrence) -> None:
    """Change what a locked reminder says and when it fires; one that is over is set anew.

    A paused one stays so. What a choice cannot say of when it fires stays: see `choices.changed`.
    Raises BadWords, BadRecurrence, TimeIsOver and TooManyReminders.
    """
    clean, wanted = _clean(words), choices.changed(recurrence.of(reminder), wanted)
    due_at = timing.first_due(db, user.timezone, wanted)
    if reminder.status not in OPEN:
        _refuse_if_many(db, user.id)
    is_paused = reminder.status is ReminderStatus.PAUSED
    reminder.words, reminder.timezone = clean, user.timezone
    for name, value in timing.columns(wanted).items():
        setattr(reminder, name, value)
    reminder.status, reminder.snoozed_until = ReminderStatus.ACTIVE, None
    if is_paused:
        timing.stop(reminder, ReminderStatus.PAUSED)
    else:
        timing.schedule(reminder, due_at)
    db.flush()


def pause(db: Session, reminder: Reminder) -> None:
    """Let a locked reminder not fire until it is resumed; ReminderOver if it will not anyway."""
    _refuse_if_over(reminder)
    timing.stop(reminder, ReminderStatus.PAUSED)
    db.flush()


def resume(db: Session, reminder: Reminder) -> None:
    """Let a paused reminder fire again from now on; TimeIsOver if its times have gone by.

    Until when it was snoozed holds still; where that has gone by it fires at once, unless it comes
    again anyway.
    """
    _refuse_if_over(reminder)
    if reminder.status is ReminderStatus.PAUSED:
        due_at, snoozed = timing.next_due(db, reminder), reminder.snoozed_until
        if due_at is None and snoozed is None:
            raise timing.TimeIsOver
        if due_at is not None and snoozed is not None and snoozed <= database.clock(db):
            reminder.snoozed_until = None
        reminder.status = ReminderStatus.ACTIVE
        timing.schedule(reminder, due_at)
        db.flush()


def snooze(db: Session, reminder: Reminder, until: datetime) -> None:
    """Let a locked reminder fire once more at `until`, beside the times that it has anyway.

    Raises BadSnooze, ReminderOver for one that was cancelled or is paused, and TooManyReminders
    where one that had ended would be one too many.
    """
    now = database.clock(db)
    if not now < until <= now + LONGEST_SNOOZE:
        raise BadSnooze
    if reminder.status not in (ReminderStatus.ACTIVE, ReminderStatus.ENDED):
        raise ReminderOver
    if reminder.status is ReminderStatus.ENDED:
        _refuse_if_many(db, reminder.user_id)
    _tick_off(db, reminder, now)
    reminder.status, reminder.snoozed_until = ReminderStatus.ACTIVE, until
    timing.schedule(reminder, reminder.scheduled_at)
    db.flush()


def skip(db: Session, reminder: Reminder) -> None:
    """Leave out the next time of a locked reminder; it ends if that was the last one."""
    _refuse_if_over(reminder)
    if reminder.status is ReminderStatus.PAUSED:
        return
    if reminder.snoozed_until is not None and reminder.snoozed_until == reminder.due_at:
        reminder.snoozed_until = None
    elif reminder.scheduled_at is not None:
        zone = zone_of(reminder.timezone)
        following = recurrence.next_after(recurrence.of(reminder), zone, reminder.scheduled_at)
        reminder.scheduled_at = following
    timing.schedule(reminder, reminder.scheduled_at)
    db.flush()


def finish(db: Session, reminder: Reminder) -> None:
    """Note that the user is done with what a locked reminder has told.

    It comes no more as it was snoozed, but at the times that it has anyway.
    """
    _tick_off(db, reminder, database.clock(db))
    if reminder.snoozed_until is not None:
        reminder.snoozed_until = None
        if reminder.status is ReminderStatus.ACTIVE:
            timing.schedule(reminder, reminder.scheduled_at)
        elif reminder.status is ReminderStatus.PAUSED and timing.next_due(db, reminder) is None:
            reminder.status = ReminderStatus.ENDED
        db.flush()


def cancel(db: Session, reminder: Reminder) -> None:
    """Let a locked reminder never fire again; ReminderOver if it would not anyway."""
    _refuse_if_over(reminder)
    reminder.snoozed_until = None
    timing.stop(reminder, ReminderStatus.CANCELLED)
    db.flush()


def delete(db: Session, reminder: Reminder) -> None:
    """Delete a locked reminder, and when it fired; what was said in conversations stays there."""
    db.delete(reminder)
    db.flush()


def advance(reminder: Reminder, scheduled_at: datetime | None, fired: datetime) -> None:
    """Note on a locked reminder that it fired for all that was due until `fired`."""
    if reminder.snoozed_until is not None and reminder.snoozed_until <= fired:
        reminder.snoozed_until = None
    timing.schedule(reminder, scheduled_at)


def _clean(words: str) -> str:
    clean = as_kept(words)
    if not 0 < len(clean) <= WORDS_MAX_LENGTH:
        raise BadWords(most=WORDS_MAX_LENGTH)
    return clean


def _condition(kind: ReminderKind, words: str) -> str:
    return _clean(words) if kind is ReminderKind.TASK and words.strip() else ""


def _refuse_if_over(reminder: Reminder) -> None:
    if reminder.status not in OPEN:
        raise ReminderOver


def _refuse_if_many(db: Session, user_id: UUID) -> None:
    wanted = select(func.count()).where(Reminder.user_id == user_id, Reminder.status.in_(OPEN))
    if (db.scalar(wanted) or 0) >= MOST_OPEN:
        raise TooManyReminders(most=MOST_OPEN)


def _next_number(db: Session, user_id: UUID) -> int:
    """The account is locked, so nobody else takes it."""
    highest = select(func.max(Reminder.number)).where(Reminder.user_id == user_id)
    return (db.scalar(highest) or 0) + 1


def _tick_off(db: Session, reminder: Reminder, now: datetime) -> None:
    open_ones = select(ReminderFiring).where(
        ReminderFiring.reminder_id == reminder.id, ReminderFiring.done_at.is_(None)
    )
    for fired in db.scalars(open_ones):
        fired.done_at = now
    db.flush()
