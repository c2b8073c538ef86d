"""A user goes to another time zone, and what repeats goes along."""

from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from models import database
from models.periods import zone_of
from models.reminders import recurrence, timing
from models.reminders.queries import OPEN
from models.schema.reminders import Reminder, ReminderStatus, Repeats
from models.schema.users import User


def follow(db: Session, user: User) -> None:
    """Read what repeats from the clocks of the zone in which the user is now.

    "Every day at 8" is at 8 where they are, and what was skipped stays so. What fires once stays at
    its moment, and so do what is due already, which has only not been fired yet, and a last time
    that has gone by on the new clocks.
    """
    wanted = select(Reminder).where(
        Reminder.user_id == user.id,
        Reminder.status.in_(OPEN),
        Reminder.repeats != Repeats.ONCE,
        Reminder.timezone != user.timezone,
    )
    now = database.clock(db)
    for reminder in db.scalars(wanted.order_by(Reminder.id).with_for_update()):
        was, reminder.timezone = zone_of(reminder.timezone), user.timezone
        planned = reminder.scheduled_at
        if reminder.status is ReminderStatus.ACTIVE and planned is not None and planned > now:
            timing.schedule(reminder, _moved(reminder, planned.astimezone(was), now) or planned)
    db.flush()


def _moved(reminder: Reminder, planned: datetime, now: datetime) -> datetime | None:
    """Return when what was planned on a day of other clocks comes by its own, or what follows."""
    zone = zone_of(reminder.timezone)
    its_day = recurrence.moment(planned.replace(tzinfo=None), zone) - timedelta(seconds=1)
    return recurrence.next_after(recurrence.of(reminder), zone, max(now, its_day))
