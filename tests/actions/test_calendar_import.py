# ruff: noqa: DTZ001  # clocks on a wall know no zone
"""Calendar files: known recurrences become reminders, all else is counted, and nothing hangs."""

from datetime import date, datetime, timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from actions import calendar_import
from actions.calendar_import import BadCalendarFile
from models.reminders import rules
from models.reminders.queries import MOST_OPEN
from models.schema.reminders import Reminder, Repeats
from models.schema.users import User
from tests.models.reminders.test_recurrence import PARIS
from tests.processor import no_more_than
from tests.statements import said_by
from untrusted.calendars import MOST_EVENTS

HEAD = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//t//t//EN\r\n"
ZONE = (
    "BEGIN:VTIMEZONE\r\nTZID:Europe/Berlin\r\nBEGIN:STANDARD\r\nDTSTART:19701025T030000\r\n"
    "TZOFFSETFROM:+0200\r\nTZOFFSETTO:+0100\r\nRRULE:FREQ=SECONDLY;INTERVAL=0\r\n"
    "END:STANDARD\r\nEND:VTIMEZONE\r\n"
)


def _event(words: str, start: str, *rest: str) -> str:
    lines = ("BEGIN:VEVENT", f"UID:{words}", f"DTSTART{start}", f"SUMMARY:{words}", *rest)
    return "\r\n".join((*lines, "END:VEVENT", ""))


def _calendar(*events: str) -> bytes:
    return (HEAD + ZONE + "".join(events) + "END:VCALENDAR\r\n").encode()


def _set(db: Session) -> dict[str, Reminder]:
    return {one.words: one for one in db.scalars(select(Reminder))}


@pytest.mark.parametrize("day", ["16040229", "19530105", "19700105"])
def test_who_was_born_long_ago_has_birthdays_too(db: Session, ada: User, day: str) -> None:
    event = _event("birthday", f";VALUE=DATE:{day}", "RRULE:FREQ=YEARLY")
    assert calendar_import.bring_in(db, ada, _calendar(event)).added == 1
    due = _set(db)["birthday"].due_at
    assert due is not None
    assert f"{due:%m%d}" in {day[4:], "0228"}


def test_an_event_beyond_all_calendars_is_set_without_an_end_or_left_out(
    db: Session, ada: User
) -> None:
    far = _event("far", ":90000101T090000", "RRULE:FREQ=YEARLY;INTERVAL=10;COUNT=400")
    done = calendar_import.bring_in(
        db, ada, _calendar(far, _event("good", ":20270505T090000", "RRULE:FREQ=YEARLY"))
    )

    assert "good" in _set(db)
    assert done.added + sum(done.left_out.values()) == 2


def test_a_full_calendar_asks_the_database_no_more_once_there_is_no_room(
    db: Session, ada: User
) -> None:
    events = [_event(f"event {number}", ":20700105T080000") for number in range(MOST_EVENTS)]
    with said_by(db) as statements:
        done = calendar_import.bring_in(db, ada, _calendar(*events))
    assert (done.added, done.left_out["too_many_reminders"]) == (MOST_OPEN, MOST_EVENTS - MOST_OPEN)
    assert len(statements) < 10 * MOST_OPEN
    again = calendar_import.bring_in(db, ada, _calendar(*events))
    assert (again.added, again.known) == (0, MOST_OPEN)


def test_what_is_known_is_set_and_the_rest_is_counted(db: Session, ada: User) -> None:
    alarm = ("BEGIN:VALARM", "ACTION:DISPLAY", "TRIGGER:-PT15M", "END:VALARM")
    there = ";TZID=Europe/Berlin:20990105T080000"
    data = _calendar(
        _event("once", ";TZID=Europe/Berlin:20700105T080000", *alarm),
        _event("utc", ":20700105T080000Z"),
        _event("whole day", ";VALUE=DATE:20700105"),
        _event("weekly", ";TZID=Europe/Berlin:20260105T080000", "RRULE:FREQ=WEEKLY;BYDAY=MO,WE"),
        _event("counted", ":20260105T080000", "RRULE:FREQ=DAILY;COUNT=3"),
        _event("second tuesday", ":20260113T080000", "RRULE:FREQ=MONTHLY;BYDAY=2TU"),
        _event("birthday", ";VALUE=DATE:20200229", "RRULE:FREQ=YEARLY"),
        _event("too late", there),
        _event("hourly", ":20700105T080000", "RRULE:FREQ=HOURLY"),
        _event("with holes", ":20700105T080000", "RRULE:FREQ=DAILY", "EXDATE:20700106T080000"),
        _event("over", ":20200105T080000"),
    )
    done = calendar_import.bring_in(db, ada, data)
    found = _set(db)
    assert set(found) == {"once", "utc", "whole day", "weekly", "second tuesday", "birthday"}
    assert (done.added, done.left_out.total()) == (6, 5)
    assert done.left_out["reminder_time_over"] == 2
    assert f"{found['once'].starts_at:%H:%M}" == "07:45"
    assert f"{found['utc'].starts_at:%H:%M}" == "09:00"
    assert (found["weekly"].repeats, found["weekly"].weekdays) == (Repeats.WEEKLY, [0, 2])
    assert (found["second tuesday"].month_week, found["birthday"].every) == (2, 12)
    again = calendar_import.bring_in(db, ada, data)
    assert (again.added, again.known) == (0, 6)


@pytest.mark.parametrize(
    "data", [b"", b"hello", b"\x00\xff", b"BEGIN:VCALENDAR\r\n" * 100, b"x" * 1_000_001]
)
def test_what_is_no_calendar_is_refused(db: Session, ada: User, data: bytes) -> None:
    with pytest.raises(BadCalendarFile):
        calendar_import.bring_in(db, ada, data)
    assert _set(db) == {}


HOSTILE: list[dict[str, list[str]]] = [
    {"FREQ": ["SECONDLY"]},
    {"FREQ": ["DAILY"], "INTERVAL": ["0" * 5_000]},
    {"FREQ": ["DAILY"], "COUNT": ["9" * 4_000]},
    {"FREQ": ["DAILY"], "COUNT": ["-1"]},
    {"FREQ": ["DAILY"], "BYMONTHDAY": ["32"]},
    {"FREQ": ["DAILY", "WEEKLY"]},
    {"FREQ": []},
    {},
    {"FREQ": ["WEEKLY"], "BYDAY": ["XX"]},
    {"FREQ": ["MONTHLY"], "BYDAY": ["MO", "TU"]},
    {"FREQ": ["MONTHLY"], "BYDAY": [""]},
    {"FREQ": ["MONTHLY"], "BYMONTHDAY": ["1", "2"]},
    {"FREQ": ["YEARLY"], "BYMONTH": ["2"], "BYMONTHDAY": ["30"]},
    {"FREQ": ["DAILY"], "UNTIL": ["never"]},
    {"FREQ": ["DAILY"], "BYSETPOS": ["1"]},
]


@pytest.mark.parametrize("parts", HOSTILE)
def test_hostile_rules_are_refused_at_once(parts: dict[str, list[str]]) -> None:
    with no_more_than(0.05), pytest.raises(rules.UnknownRule):
        rules.read(parts, _start(), rules.timedelta(0), PARIS, PARIS)


def test_a_count_becomes_its_last_day() -> None:
    rule = rules.read(
        {"FREQ": ["DAILY"], "COUNT": ["3"]}, _start(), rules.timedelta(0), PARIS, PARIS
    )
    assert rule.until == date(2027, 1, 3)


def _start() -> rules.datetime:
    return rules.datetime(2027, 1, 1, 8)


@pytest.mark.parametrize(
    ("start", "until", "last"),
    [
        # New Year in Paris is still the old year in UTC.
        (datetime(2026, 12, 30, 0, 30), "2026-12-31T23:30:00+00:00", date(2027, 1, 1)),
        (datetime(2026, 12, 30, 9), "2026-12-31T07:00:00+00:00", date(2026, 12, 30)),
        (datetime(2026, 12, 30, 9), "2026-12-31T08:00:00+00:00", date(2026, 12, 31)),
        (datetime(2026, 12, 30, 9), "2026-12-31", date(2026, 12, 31)),
        (datetime(2026, 12, 30, 9), "2026-12-31T08:59:00", date(2026, 12, 30)),
        (datetime(2026, 12, 30, 9), "2026-12-31T09:00:00", date(2026, 12, 31)),
    ],
)
def test_an_end_in_utc_is_read_by_the_users_clock(start: datetime, until: str, last: date) -> None:
    parts = {"FREQ": ["DAILY"], "UNTIL": [until]}
    assert rules.read(parts, start, timedelta(0), PARIS, PARIS).until == last


@pytest.mark.parametrize(
    ("start", "rule", "last"),
    [
        # The end is exactly the last time, as calendars like to write it.
        (":20700701T080000Z", "FREQ=DAILY;UNTIL=20701201T080000Z", date(2070, 12, 1)),
        (
            ";TZID=America/New_York:20700107T150000",
            "FREQ=WEEKLY;UNTIL=20700325T190000Z",
            date(2070, 3, 25),
        ),
    ],
)
def test_an_end_is_told_by_the_clocks_of_its_event(
    db: Session, ada: User, start: str, rule: str, last: date
) -> None:
    event = _event("call", start, f"RRULE:{rule}")
    assert calendar_import.bring_in(db, ada, _calendar(event)).added == 1
    assert _set(db)["call"].until == last


def test_what_is_told_a_day_before_is_refused_where_its_weeks_part() -> None:
    start, before = datetime(2026, 12, 8, 9), timedelta(days=-1)
    parts = {"FREQ": ["WEEKLY"], "INTERVAL": ["2"]}
    assert rules.read(parts, start, before, PARIS, PARIS).weekdays == (0,)
    with pytest.raises(rules.UnknownRule):
        rules.read({**parts, "BYDAY": ["MO"]}, start, before, PARIS, PARIS)


@pytest.mark.parametrize("zone", ["Pacific/Auckland", "Europe/Paris", "America/New_York"])
def test_what_takes_whole_days_ends_on_one_wherever_its_user_is(
    db: Session, ada: User, zone: str
) -> None:
    ada.timezone = zone
    ends = "RRULE:FREQ=DAILY;UNTIL=20700107T000000Z"
    event = _event("fair", ";VALUE=DATE:20700105", ends)
    assert calendar_import.bring_in(db, ada, _calendar(event)).added == 1
    assert _set(db)["fair"].until == date(2070, 1, 7)


def test_weeks_that_begin_on_sunday_are_refused_where_that_matters() -> None:
    """RFC 5545 has the example: of every second week, Tuesday and Sunday are apart."""
    start, parts = datetime(1997, 8, 5, 9), {"FREQ": ["WEEKLY"], "WKST": ["SU"]}
    assert rules.read(parts, start, timedelta(0), PARIS, PARIS).weekdays == (1,)
    assert rules.read({**parts, "INTERVAL": ["2"]}, start, timedelta(0), PARIS, PARIS).every == 2
    together = {**parts, "INTERVAL": ["2"], "BYDAY": ["TU", "TH"]}
    assert rules.read(together, start, timedelta(0), PARIS, PARIS).weekdays == (1, 3)
    apart = {**parts, "INTERVAL": ["2"], "BYDAY": ["TU", "SU"]}
    with pytest.raises(rules.UnknownRule):
        rules.read(apart, start, timedelta(0), PARIS, PARIS)
    with pytest.raises(rules.UnknownRule):
        rules.read({**parts, "WKST": ["XX"]}, start, timedelta(0), PARIS, PARIS)
