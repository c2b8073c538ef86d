"""Calendar files that people bring along, read by a helper."""

import json
from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, cast

from untrusted import lanes
from untrusted.helper import Failed
from untrusted.kinds import READ_CALENDAR

MOST_EVENTS = 1_000
MOST_CHARS = 500
MOST_ALARM = timedelta(days=31)


class UnusableCalendar(Exception):
    """A file that is no calendar, or is too hard to read."""


class CannotReadCalendar(Exception):
    """No helper had time for the calendar; later one may."""


@dataclass(frozen=True)
class CalendarEvent:
    """What one event says. `start` is wall clock in `zone`, "" for the reader's own.

    It is None where there is none to be read. `rule` is the parts of a recurrence, as foreign as
    the file; None for what happens once. `is_odd`: single times of it are moved or left out.
    """

    words: str
    start: datetime | None
    zone: str
    is_day: bool
    rule: Mapping[str, list[str]] | None
    is_odd: bool
    alarm: timedelta


def read(data: bytes, *, owner: Hashable) -> tuple[list[CalendarEvent], int]:
    """Return the events of a calendar, and how many more it has than are read.

    Raises UnusableCalendar, or CannotReadCalendar when nobody can now.
    """
    try:
        done = lanes.do(READ_CALENDAR, data, owner=owner)
    except Failed as failure:
        if failure.why == "busy":
            raise CannotReadCalendar from failure
        raise UnusableCalendar(str(failure)) from failure
    if "fault" in done.note:
        raise UnusableCalendar(str(done.note["fault"])[:80])
    # It comes out of a helper, so it is as foreign as the calendar.
    try:
        found = json.loads(done.body)
        more = int(done.note.get("more", 0))
        return [_event(one) for one in found[:MOST_EVENTS]], max(more, 0)
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as odd:
        raise UnusableCalendar(type(odd).__name__) from odd


def _event(given: dict[str, Any]) -> CalendarEvent:
    start = given.get("start")
    at = datetime.fromisoformat(start) if isinstance(start, str) else None
    return CalendarEvent(
        words=str(given["words"])[:MOST_CHARS],
        start=at.replace(tzinfo=None) if at else None,
        zone=str(given.get("zone") or "")[:MOST_CHARS],
        is_day=given.get("is_day") is True,
        rule=_rule(given.get("rule")),
        is_odd=given.get("is_odd") is True,
        alarm=_alarm(given.get("alarm_seconds")),
    )


def _rule(given: object) -> dict[str, list[str]] | None:
    if not isinstance(given, dict):
        return None
    parts = cast(dict[str, list[object]], given)
    return {str(name): [str(one) for one in many] for name, many in parts.items()}


def _alarm(given: object) -> timedelta:
    """Return how long after its beginning one wants to be told; zero for what makes no sense."""
    if not isinstance(given, int) or abs(given) > MOST_ALARM.total_seconds():
        return timedelta(0)
    return timedelta(seconds=given)
