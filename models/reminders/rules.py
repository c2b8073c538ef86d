"""Recurrences as calendars write them (RFC 5545), as far as ours can mean the same.

The parts are read, never evaluated: what is not exactly one of ours is refused.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta, tzinfo
from zoneinfo import ZoneInfo

from models.errors import Refused
from models.reminders import recurrence
from models.reminders.choices import MONTHS_OF_YEAR
from models.reminders.recurrence import Recurrence
from models.schema.reminders import Repeats

Parts = Mapping[str, Sequence[str]]
WEEKDAYS = {"MO": 0, "TU": 1, "WE": 2, "TH": 3, "FR": 4, "SA": 5, "SU": 6}
# Of a recurrence that ends after so many times its last one is looked up.
MOST_TIMES = 400
MOST_DIGITS = 4
DATE_LENGTH = len("2026-12-31")
SHARED = {"FREQ", "INTERVAL", "UNTIL", "COUNT", "WKST"}
KNOWN = {
    "DAILY": SHARED,
    "WEEKLY": SHARED | {"BYDAY"},
    "MONTHLY": SHARED | {"BYDAY", "BYMONTHDAY"},
    "YEARLY": SHARED | {"BYMONTH", "BYMONTHDAY"},
}


class UnknownRule(Refused):
    """A calendar's recurrence is none that reminders have."""

    code = "unknown_rule"


def read(
    parts: Parts | None,
    start: datetime,
    shift: timedelta,
    zone: ZoneInfo,
    clock: tzinfo | None,
) -> Recurrence:
    """Return the recurrence that begins at `start`, each time moved by `shift`.

    None for `parts` is once. It is read for the clocks of `zone`; when it ends is told by those of
    `clock`, or by days for None. Raises UnknownRule; what is returned has still to be checked.
    """
    at = start + shift
    days = (at.date() - start.date()).days
    if parts is None:
        return Recurrence(at)
    freq = _only(parts, "FREQ").upper()
    if freq not in KNOWN or not set(parts) <= KNOWN[freq]:
        raise UnknownRule
    rule = _REPEATING[freq](parts, start, at, days)
    if "UNTIL" in parts:
        begins = recurrence.moment(start, zone).astimezone(clock) if clock else None
        last = _last_day(_only(parts, "UNTIL"), begins)
        return replace(rule, until=last + timedelta(days=days))
    if "COUNT" in parts:
        return replace(rule, until=_last(rule, _number(_only(parts, "COUNT")), zone))
    return rule


def _daily(parts: Parts, _start: datetime, at: datetime, _days: int) -> Recurrence:
    return Recurrence(at, Repeats.DAILY, every=_every(parts))


def _weekly(parts: Parts, start: datetime, at: datetime, days: int) -> Recurrence:
    named = parts.get("BYDAY") or ()
    weekdays = [_weekday(one) for one in named] or [start.weekday()]
    begins_on = _weekday(_only(parts, "WKST")) if "WKST" in parts else 0
    if _every(parts) > 1 and len({day >= begins_on for day in (*weekdays, start.weekday())}) > 1:
        # Some are in another week than the first is, if weeks begin on that day; ours on Monday.
        raise UnknownRule
    # From one day of the week to another its weeks may part: that is told of in no word of ours.
    if days and _every(parts) > 1 and weekdays != [start.weekday()]:
        raise UnknownRule
    moved = tuple(sorted({(one + days) % 7 for one in weekdays}))
    return Recurrence(at, Repeats.WEEKLY, every=_every(parts), weekdays=moved)


def _monthly(parts: Parts, start: datetime, at: datetime, days: int) -> Recurrence:
    if days or ("BYDAY" in parts and "BYMONTHDAY" in parts):
        raise UnknownRule
    if "BYDAY" in parts:
        named = _only(parts, "BYDAY").upper()
        week = _number(named[:-2])
        return Recurrence(
            at,
            Repeats.MONTHLY_BY_WEEKDAY,
            every=_every(parts),
            weekdays=(_weekday(named[-2:]),),
            month_week=week,
        )
    day = _number(_only(parts, "BYMONTHDAY")) if "BYMONTHDAY" in parts else start.day
    last = 31 if day == -1 else day
    return Recurrence(at, Repeats.MONTHLY_BY_DAY, every=_every(parts), month_day=last)


def _yearly(parts: Parts, start: datetime, at: datetime, days: int) -> Recurrence:
    month = _number(_only(parts, "BYMONTH")) if "BYMONTH" in parts else start.month
    day = _number(_only(parts, "BYMONTHDAY")) if "BYMONTHDAY" in parts else start.day
    if days or (month, day) != (start.month, start.day):
        raise UnknownRule
    every = _every(parts) * MONTHS_OF_YEAR
    return Recurrence(at, Repeats.MONTHLY_BY_DAY, every=every, month_day=start.day)


_REPEATING = {"DAILY": _daily, "WEEKLY": _weekly, "MONTHLY": _monthly, "YEARLY": _yearly}


def _last(rule: Recurrence, count: int, zone: ZoneInfo) -> date:
    if not 0 < count <= MOST_TIMES:
        raise UnknownRule
    checked = rule.checked(rule.start.date())
    at = recurrence.moment(rule.start, zone) - timedelta(seconds=1)
    for _ in range(count):
        following = recurrence.next_after(checked, zone, at)
        if following is None:
            break
        at = following
    return at.astimezone(zone).date()


def _every(parts: Parts) -> int:
    return _number(_only(parts, "INTERVAL")) if "INTERVAL" in parts else 1


def _weekday(name: str) -> int:
    if name.upper() not in WEEKDAYS:
        raise UnknownRule
    return WEEKDAYS[name.upper()]


def _only(parts: Parts, name: str) -> str:
    found = parts.get(name, ())
    if len(found) != 1:
        raise UnknownRule
    return found[0]


def _number(given: str) -> int:
    digits = given.removeprefix("+").removeprefix("-")
    if not (digits.isascii() and digits.isdigit() and len(digits) <= MOST_DIGITS):
        raise UnknownRule
    return -int(digits) if given.startswith("-") else int(digits)


def _last_day(given: str, begins: datetime | None) -> date:
    """Return the last day on which what begins so, or takes whole days, may happen.

    A moment, as calendars write it in UTC, may be on another day by the clocks of `begins`, and on
    that day before the time at which it happens.
    """
    try:
        until = datetime.fromisoformat(given)
    except ValueError as odd:
        raise UnknownRule from odd
    if begins is None or len(given) == DATE_LENGTH:
        return until.date()
    local = until.astimezone(begins.tzinfo) if until.tzinfo else until
    return local.date() - timedelta(days=local.time() < begins.time())
