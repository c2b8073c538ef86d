"""The days and months that limits and reports count by: those of a person's own time zone."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError


@dataclass(frozen=True)
class Period:
    """From `begins` up to, and without, `ends`; both aware UTC."""

    begins: datetime
    ends: datetime


def zone_of(timezone: str) -> ZoneInfo:
    """Return a zone by its name; UTC for one that is not known (any more)."""
    try:
        return ZoneInfo(timezone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return ZoneInfo("UTC")


def day_of(timezone: str, now: datetime) -> Period:
    """Return the day that it is there now, from midnight to midnight."""
    today = now.astimezone(zone_of(timezone)).date()
    return Period(
        midnight(timezone, today),
        midnight(timezone, today + timedelta(days=1)),
    )


def month_of(timezone: str, now: datetime) -> Period:
    """Return the calendar month that it is there now."""
    return month_from(timezone, now.astimezone(zone_of(timezone)).date())


def month_from(timezone: str, day: date) -> Period:
    """Return the calendar month of a day there."""
    first = day.replace(day=1)
    following = (first + timedelta(days=32)).replace(day=1)
    return Period(midnight(timezone, first), midnight(timezone, following))


def midnight(timezone: str, day: date) -> datetime:
    """Return the moment at which `day` begins there, in UTC."""
    return datetime(day.year, day.month, day.day, tzinfo=zone_of(timezone)).astimezone(UTC)


def month_floor(moment: datetime) -> datetime:
    """Return when the month of UTC began in which a moment lies."""
    utc = moment.astimezone(UTC)
    return utc.replace(day=1, hour=0, minute=0, second=0, microsecond=0)


def next_month(moment: datetime) -> datetime:
    """Return when the month of UTC ends in which a moment lies."""
    return (month_floor(moment) + timedelta(days=32)).replace(day=1)
