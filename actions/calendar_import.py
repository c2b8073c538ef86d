"""A user brings a calendar file along: each event that reminders can mean becomes one."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta, tzinfo
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from gateways import values
from gateways.values import BadValue
from models.errors import Refused
from models.periods import zone_of
from models.reminders import once, rules
from models.reminders.once import Outcome
from models.reminders.recurrence import Recurrence
from models.reminders.reminders import WORDS_MAX_LENGTH, TooManyReminders
from models.schema.users import User
from untrusted import calendars
from untrusted.calendars import CalendarEvent

MOST_BYTES = 1_000_000
# What takes a whole day is told in the morning.
MORNING = timedelta(hours=time(9).hour)


class BadCalendarFile(Refused):
    """A file is no calendar, or too large."""

    code = "bad_calendar_file"


class CalendarsBusy(Refused):
    """No calendar can be read just now."""

    code = "calendars_busy"


@dataclass
class Imported:
    """How many reminders were set and were there before; what was left out, by the code of why."""

    added: int = 0
    known: int = 0
    left_out: Counter[str] = field(default_factory=Counter[str])


def bring_in(db: Session, user: User, data: bytes) -> Imported:
    """Set a reminder for each event that is to come; count those that cannot be.

    Raises BadCalendarFile and CalendarsBusy. What stands among the reminders already is not set
    again, so the same file may come twice.
    """
    if len(data) > MOST_BYTES:
        raise BadCalendarFile
    try:
        events, more = calendars.read(data, owner=user.id)
    except calendars.UnusableCalendar as odd:
        raise BadCalendarFile from odd
    except calendars.CannotReadCalendar as busy:
        raise CalendarsBusy from busy
    done = Imported()
    if more:
        done.left_out[TooManyReminders.code] += more
    asked: list[tuple[str, Recurrence]] = []
    for event in events:
        try:
            asked.append(_wanted(event, zone_of(user.timezone)))
        except Refused as refusal:
            done.left_out[refusal.code] += 1
    for outcome in once.create_all(db, user.id, asked):
        _count(done, outcome)
    return done


def _count(done: Imported, outcome: Outcome | Refused) -> None:
    if isinstance(outcome, Refused):
        done.left_out[outcome.code] += 1
    elif outcome is Outcome.KNOWN:
        done.known += 1
    else:
        done.added += 1


def _wanted(event: CalendarEvent, zone: ZoneInfo) -> tuple[str, Recurrence]:
    """Read what an event reminds of, and when. Refuses what reminders cannot mean."""
    clock = _clock(event, zone)
    start = _local(event, zone, clock)
    if start is None or event.is_odd:
        raise rules.UnknownRule
    try:
        words = values.line(" ".join(event.words.split()), most=WORDS_MAX_LENGTH, least=1)
        rule = rules.read(event.rule, start, event.alarm, zone, None if event.is_day else clock)
        return words, rule
    except (BadValue, OverflowError, ValueError) as odd:
        raise rules.UnknownRule from odd


def _clock(event: CalendarEvent, zone: ZoneInfo) -> tzinfo | None:
    """Return the zone of an event's clocks, the reader's for want of its own; None: unknown."""
    if not event.zone or event.is_day:
        return zone
    try:
        return UTC if event.zone == "UTC" else ZoneInfo(values.time_zone(event.zone))
    except BadValue:
        return None


def _local(event: CalendarEvent, zone: ZoneInfo, clock: tzinfo | None) -> datetime | None:
    """Return when an event begins on the clocks of its reader; None where nobody knows.

    What repeats by days of the week or month on other clocks may be on other days here.
    """
    if event.start is None or clock is None:
        return None
    if event.is_day:
        return event.start + MORNING
    if clock is zone:
        return event.start
    try:
        at = event.start.replace(tzinfo=clock).astimezone(zone).replace(tzinfo=None)
    except OverflowError:
        return None
    is_same_day = at.date() == event.start.date()
    return at if is_same_day or event.rule is None else None
