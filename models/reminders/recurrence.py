"""When something happens, as plain fields, and its next time after any moment.

A recurrence is read from the clocks of a zone: "every day at 8" is at 8 in summer and winter. A
time that a clock skips comes as much later as it was put forward; one that it shows twice counts
the first time. Each next time is computed, with a bounded look around; nothing is stepped through.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import islice
from zoneinfo import ZoneInfo

from models.errors import Refused
from models.schema.reminders import Reminder, Repeats

MOST_EVERY = {
    Repeats.ONCE: 1,
    Repeats.DAILY: 366,
    Repeats.WEEKLY: 104,
    Repeats.MONTHLY_BY_DAY: 120,
    Repeats.MONTHLY_BY_WEEKDAY: 120,
}
WEEKS_OF_MONTH = (1, 2, 3, 4, -1)
LATEST = timedelta(days=366 * 50)
# Calendars date birthdays whose year nobody knows to 1604.
EARLIEST = date(1600, 1, 1)
# Of the days before and after a moment: the day before, one that a zone left out, some to spare.
DAYS_LOOKED_AT = 8
# Whoever missed more is told "more than".
MOST_COUNTED = 100


class BadRecurrence(Refused):
    """A part of a recurrence makes no sense; `part` names it."""

    code = "bad_recurrence"


@dataclass(frozen=True)
class Recurrence:
    """`start` is wall clock, without a zone, and the first day on which it may happen.

    `every` counts days, weeks or months by `repeats`. A `month_day` that a month does not have is
    its last one. `month_week` says which of the month's `weekdays`, and -1 the last.
    """

    start: datetime
    repeats: Repeats = Repeats.ONCE
    every: int = 1
    weekdays: tuple[int, ...] = ()
    month_day: int | None = None
    month_week: int | None = None
    until: date | None = None

    def checked(self, today: date) -> "Recurrence":
        """Return it if all of its parts fit together; raise BadRecurrence, which names the part."""
        wrong = next((part for part, is_right in self._rules(today) if not is_right), None)
        if wrong is not None:
            raise BadRecurrence(part=wrong)
        return self

    def _rules(self, today: date) -> Iterator[tuple[str, bool]]:
        day = self.start.date()
        yield "start", self.start.tzinfo is None and EARLIEST <= day <= today + LATEST
        yield "every", 1 <= self.every <= MOST_EVERY[self.repeats]
        yield "weekdays", self._has_weekdays()
        wants_day = self.repeats is Repeats.MONTHLY_BY_DAY
        has_day = self.month_day is not None and 1 <= self.month_day <= 31
        yield "month_day", has_day if wants_day else self.month_day is None
        wants_week = self.repeats is Repeats.MONTHLY_BY_WEEKDAY
        yield "month_week", (self.month_week in WEEKS_OF_MONTH) is wants_week
        yield "until", self.until is None or (self._is_repeated and self.until >= day)

    def _has_weekdays(self) -> bool:
        is_sound = all(0 <= day <= 6 for day in self.weekdays)
        is_set = list(self.weekdays) == sorted(set(self.weekdays))
        count = len(self.weekdays)
        if self.repeats is Repeats.WEEKLY:
            return is_sound and is_set and count > 0
        return is_sound and count == (1 if self.repeats is Repeats.MONTHLY_BY_WEEKDAY else 0)

    @property
    def _is_repeated(self) -> bool:
        return self.repeats is not Repeats.ONCE


def of(reminder: Reminder) -> Recurrence:
    """Return the recurrence that a reminder has."""
    return Recurrence(
        start=reminder.starts_at,
        repeats=reminder.repeats,
        every=reminder.every,
        weekdays=tuple(reminder.weekdays),
        month_day=reminder.month_day,
        month_week=reminder.month_week,
        until=reminder.until,
    )


def next_after(recurrence: Recurrence, zone: ZoneInfo, after: datetime) -> datetime | None:
    """Return the first time later than `after`, in UTC; None if there is none any more."""
    try:
        return _next_after(recurrence, zone, after)
    except (OverflowError, ValueError):
        # The calendar ends with the year 9999.
        return None


def _next_after(recurrence: Recurrence, zone: ZoneInfo, after: datetime) -> datetime | None:
    begin = max(after.astimezone(zone).date() - timedelta(days=1), recurrence.start.date())
    for day in islice(_days_from(recurrence, begin), DAYS_LOOKED_AT):
        if recurrence.until is not None and day > recurrence.until:
            return None
        due = moment(datetime.combine(day, recurrence.start.time()), zone)
        if due > after:
            return due
    return None


def count_between(
    recurrence: Recurrence, zone: ZoneInfo, after: datetime, until: datetime
) -> tuple[int, datetime | None]:
    """Count the times after `after` and up to `until`, at most MOST_COUNTED, and say the next."""
    count, due = 0, next_after(recurrence, zone, after)
    while due is not None and due <= until and count < MOST_COUNTED:
        count, due = count + 1, next_after(recurrence, zone, due)
    if due is not None and due <= until:
        due = next_after(recurrence, zone, until)
    return count, due


def moment(wall_clock: datetime, zone: ZoneInfo) -> datetime:
    """Return when clocks of a zone show this, in UTC."""
    return wall_clock.replace(tzinfo=zone, fold=0).astimezone(UTC)


def _days_from(recurrence: Recurrence, begin: date) -> Iterator[date]:
    """Yield the days on which it happens, from `begin` on, which is not before its start."""
    if recurrence.repeats is Repeats.ONCE:
        return iter([recurrence.start.date()])
    if recurrence.repeats is Repeats.DAILY:
        return _daily(recurrence, begin)
    if recurrence.repeats is Repeats.WEEKLY:
        return _weekly(recurrence, begin)
    return _monthly(recurrence, begin)


def _daily(recurrence: Recurrence, begin: date) -> Iterator[date]:
    start, every = recurrence.start.date(), recurrence.every
    day = start + timedelta(days=-((start - begin).days // every) * every)
    while True:
        yield day
        day += timedelta(days=every)


def _weekly(recurrence: Recurrence, begin: date) -> Iterator[date]:
    every = timedelta(weeks=recurrence.every)
    first, wanted = _monday(recurrence.start.date()), _monday(begin)
    week = first + (wanted - first) // every * every
    while True:
        days = (week + timedelta(days=weekday) for weekday in recurrence.weekdays)
        yield from (day for day in days if day >= begin)
        week += every


def _monthly(recurrence: Recurrence, begin: date) -> Iterator[date]:
    first, every = _month(recurrence.start.date()), recurrence.every
    month = first + (_month(begin) - first) // every * every
    while True:
        day = _day_in(recurrence, month)
        if day >= begin:
            yield day
        month += every


def _day_in(recurrence: Recurrence, month: int) -> date:
    first = date(month // 12, month % 12 + 1, 1)
    last = date((month + 1) // 12, (month + 1) % 12 + 1, 1) - timedelta(days=1)
    if recurrence.month_day is not None:
        return first.replace(day=min(recurrence.month_day, last.day))
    weekday = recurrence.weekdays[0]
    if recurrence.month_week == -1:
        return last - timedelta(days=(last.weekday() - weekday) % 7)
    weeks = (recurrence.month_week or 1) - 1
    return first + timedelta(days=(weekday - first.weekday()) % 7, weeks=weeks)


def _monday(day: date) -> date:
    return day - timedelta(days=day.weekday())


def _month(day: date) -> int:
    return day.year * 12 + day.month - 1
