"""Reminders for tests, and the passing of time: what is due moves, and the clock stays."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from models.base import utc_now
from models.periods import zone_of
from models.reminders import recurrence, reminders
from models.reminders.recurrence import Recurrence
from models.schema.reminders import Reminder, ReminderKind
from models.schema.users import User


def soon(user: User, minutes: int = 60) -> datetime:
    """A time on the user's clock, without seconds."""
    local = utc_now().astimezone(zone_of(user.timezone)) + timedelta(minutes=minutes)
    return local.replace(tzinfo=None, second=0, microsecond=0)


def made(
    db: Session,
    user: User,
    words: str = "Call mum",
    *,
    conversation_id: UUID | None = None,
    kind: ReminderKind = ReminderKind.REMINDER,
    tell_only_if: str = "",
    **rule: Any,
) -> Reminder:
    wanted = Recurrence(soon(user), **rule)
    return reminders.create(
        db,
        user.id,
        words,
        wanted,
        conversation_id=conversation_id,
        kind=kind,
        tell_only_if=tell_only_if,
    )


def make_due(db: Session, reminder: Reminder, ago: timedelta = timedelta(seconds=1)) -> datetime:
    """Let a reminder have been set earlier, so that it was due so long ago."""
    due = utc_now() - ago
    local = due.astimezone(zone_of(reminder.timezone)).replace(tzinfo=None)
    reminder.starts_at = local
    first = recurrence.next_after(
        recurrence.of(reminder), zone_of(reminder.timezone), due - timedelta(seconds=1)
    )
    reminder.scheduled_at = reminder.due_at = first
    db.flush()
    assert first is not None
    return first
