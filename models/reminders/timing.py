"""When a reminder is due next: what is noted on its row, which whoever asks has locked."""

from datetime import datetime
from typing import Literal

from sqlalchemy.orm import Session

from models import database
from models.errors import Refused
from models.periods import zone_of
from models.reminders import recurrence
from models.reminders.recurrence import Recurrence
from models.schema.reminders import Reminder, ReminderStatus


class TimeIsOver(Refused):
    """A reminder would never fire: all of its times are over."""

    code = "reminder_time_over"


def schedule(reminder: Reminder, scheduled_at: datetime | None) -> None:
    """Note when it comes by its rule; it is due then or as it was snoozed, and else has ended."""
    times = [at for at in (scheduled_at, reminder.snoozed_until) if at is not None]
    reminder.scheduled_at, reminder.due_at = scheduled_at, min(times, default=None)
    if reminder.due_at is None:
        reminder.status = ReminderStatus.ENDED


def stop(
    reminder: Reminder, status: Literal[ReminderStatus.PAUSED, ReminderStatus.CANCELLED]
) -> None:
    """Let it be due no more."""
    reminder.status, reminder.scheduled_at, reminder.due_at = status, None, None


def next_due(db: Session, reminder: Reminder) -> datetime | None:
    """Return when its rule comes next; None if never."""
    zone = zone_of(reminder.timezone)
    return recurrence.next_after(recurrence.of(reminder), zone, database.clock(db))


def first_due(db: Session, timezone: str, wanted: Recurrence) -> datetime:
    """Return when a new rule comes first. Raises BadRecurrence and TimeIsOver."""
    now, zone = database.clock(db), zone_of(timezone)
    due_at = recurrence.next_after(wanted.checked(now.astimezone(zone).date()), zone, now)
    if due_at is None:
        raise TimeIsOver
    return due_at


def columns(wanted: Recurrence) -> dict[str, object]:
    """Return a rule as the columns of a reminder."""
    return {
        "starts_at": wanted.start,
        "repeats": wanted.repeats,
        "every": wanted.every,
        "weekdays": list(wanted.weekdays),
        "month_day": wanted.month_day,
        "month_week": wanted.month_week,
        "until": wanted.until,
    }
