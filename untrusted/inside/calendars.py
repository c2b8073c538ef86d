"""Calendar files (RFC 5545): what their events say, with no rule of theirs ever evaluated."""

import re
from datetime import date, datetime, time, timedelta
from typing import Any, cast

from icalendar import Calendar

from untrusted.inside import texts

MOST_EVENTS = 1_000
MOST_CHARS = 500
# A rule with more parts than anybody's calendar writes is none that is known.
MOST_PARTS = 40
MIDNIGHT = time()
FOLD = re.compile(r"\r?\n[ \t]")
# What defines a zone is a recurrence too. Zones are known by their names, outside.
ZONES = re.compile(r"^BEGIN:VTIMEZONE\b.*?^END:VTIMEZONE[^\n]*$", re.M | re.S | re.I)
ZONE_NAME = re.compile(r"^([A-Z-]+[^:\n]*);TZID=", re.M | re.I)
ODD = ("EXDATE", "RDATE", "RECURRENCE-ID", "EXRULE")


class BadCalendar(Exception):
    """A file that is no calendar."""


def read(data: bytes) -> tuple[list[dict[str, Any]], int]:
    """Return the first MOST_EVENTS events, and how many more there are. Raises BadCalendar."""
    unfolded = FOLD.sub("", texts.decode(data))
    plain = ZONE_NAME.sub(r"\1;X-ZONE=", ZONES.sub("", unfolded))
    try:
        calendars: list[Any] = [*Calendar.from_ical(plain, multiple=True)]
        events = [event for one in calendars for event in one.walk("VEVENT")]
    # The library lets errors of all kinds through when a file is damaged.
    except Exception as error:
        raise BadCalendar from error
    if not calendars:
        raise BadCalendar
    return [_event(event) for event in events[:MOST_EVENTS]], max(len(events) - MOST_EVENTS, 0)


def _event(event: Any) -> dict[str, Any]:
    """Return what an event says; without a `start` for one that has none to be read."""
    words = str(event.get("SUMMARY", ""))[:MOST_CHARS]
    begins = event.get("DTSTART")
    at = getattr(begins, "dt", None)
    if not isinstance(at, date):
        return {"words": words}
    is_day = not isinstance(at, datetime)
    has_zone = isinstance(at, datetime) and at.tzinfo is not None
    zone = "UTC" if has_zone else str(begins.params.get("X-ZONE", ""))[:MOST_CHARS]
    start = datetime.combine(at, MIDNIGHT) if is_day else at.replace(tzinfo=None)
    return {
        "words": words,
        "start": start.isoformat(),
        "zone": zone,
        "is_day": is_day,
        "rule": _rule(event),
        "is_odd": any(name in event for name in ODD),
        "alarm_seconds": _alarm(event),
    }


def _rule(event: Any) -> dict[str, list[str]] | None:
    found = event.get("RRULE")
    if found is None:
        return None
    if isinstance(found, list):
        return {"FREQ": ["SEVERAL"]}
    parts: dict[str, list[str]] = {}
    for name, given in list(found.items())[:MOST_PARTS]:
        many = cast(list[object], given) if isinstance(given, list) else [given]
        parts[str(name).upper()] = [_part(one) for one in many[:MOST_PARTS]]
    return parts


def _part(one: object) -> str:
    return one.isoformat() if isinstance(one, date) else str(one)[:MOST_CHARS]


def _alarm(event: Any) -> int | None:
    """Return how long after its beginning the first alarm of an event is, mostly below zero."""
    for alarm in event.walk("VALARM"):
        trigger = alarm.get("TRIGGER")
        after = getattr(trigger, "dt", None)
        if isinstance(after, timedelta) and trigger.params.get("RELATED", "START") == "START":
            return int(after.total_seconds())
    return None
