"""How long "later" is: what a user chooses from when a reminder has fired."""

import enum
from datetime import datetime, time, timedelta

from models.periods import zone_of
from models.reminders import recurrence

MORNING = time(8)


class Snooze(enum.StrEnum):
    TEN_MINUTES = "10m"
    HOUR = "1h"
    MORNING = "morning"


_WAITS = {Snooze.TEN_MINUTES: timedelta(minutes=10), Snooze.HOUR: timedelta(hours=1)}


def until(choice: Snooze, timezone: str, now: datetime) -> datetime:
    """Return when it comes again: after a while, or at 8 tomorrow by the clocks of this zone."""
    if choice in _WAITS:
        return now + _WAITS[choice]
    zone = zone_of(timezone)
    tomorrow = now.astimezone(zone).date() + timedelta(days=1)
    return recurrence.moment(datetime.combine(tomorrow, MORNING), zone)
