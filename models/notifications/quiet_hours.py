"""Quiet hours: when a user wants to be told nothing, by their own clock."""

from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta

from models.errors import Refused
from models.periods import zone_of
from models.schema.users import User

MINUTES_A_DAY = 24 * 60


class BadQuietHours(Refused):
    """Quiet hours have a beginning and an end, which differ."""

    code = "bad_quiet_hours"


@dataclass(frozen=True)
class QuietHours:
    """From one minute of each day up to, and without, another; over midnight if that is earlier."""

    from_minute: int
    until_minute: int

    def cover(self, minute: int) -> bool:
        """Tell whether they hold when the clock shows this minute of the day."""
        if self.from_minute < self.until_minute:
            return self.from_minute <= minute < self.until_minute
        return minute >= self.from_minute or minute < self.until_minute


def of(user: User) -> QuietHours | None:
    """Return a user's quiet hours; None if they have none."""
    if user.quiet_from_minute is None or user.quiet_until_minute is None:
        return None
    return QuietHours(user.quiet_from_minute, user.quiet_until_minute)


def choose(user: User, from_minute: int | None, until_minute: int | None) -> None:
    """Set a user's quiet hours, two times being none. Raises BadQuietHours."""
    if (from_minute is None) != (until_minute is None):
        raise BadQuietHours
    if from_minute is not None and from_minute == until_minute:
        raise BadQuietHours
    user.quiet_from_minute, user.quiet_until_minute = from_minute, until_minute


def end(user: User, now: datetime) -> datetime | None:
    """Return when a user's quiet hours end that hold now, in UTC; None if none do."""
    hours = of(user)
    zone = zone_of(user.timezone)
    local = now.astimezone(zone)
    minute = local.hour * 60 + local.minute
    if hours is None or not hours.cover(minute):
        return None
    day = local.date() + timedelta(days=minute >= hours.until_minute)
    clock = time(hours.until_minute // 60, hours.until_minute % 60)
    # When clocks are put back a time comes twice: the first that is still to come counts. One that
    # is left out when they are put forward comes as many minutes after the gap began.
    first = datetime.combine(day, clock, zone)
    ends = (first.replace(fold=fold).astimezone(UTC) for fold in (0, 1))
    return next((moment for moment in ends if moment > now), None)
