# ruff: noqa: DTZ001  # clocks on a wall know no zone
"""The next time of a recurrence, on the clocks of many zones; nonsense is refused at once."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.reminders import recurrence
from models.reminders.recurrence import (
    MOST_EVERY,
    BadRecurrence,
    Recurrence,
    count_between,
    next_after,
)
from models.schema.reminders import Repeats
from tests.processor import no_more_than

PARIS, NEW_YORK = ZoneInfo("Europe/Paris"), ZoneInfo("America/New_York")
TODAY = date(2026, 12, 1)
ZONES = ("Europe/Paris", "America/New_York", "Australia/Lord_Howe", "Asia/Tokyo", "Pacific/Apia")


def _times(rule: Recurrence, zone: ZoneInfo, after: datetime, count: int) -> Iterator[str]:
    at: datetime | None = after
    for _ in range(count):
        at = next_after(rule, zone, at) if at else None
        yield f"{at.astimezone(zone):%a %m-%d %H:%M}" if at else "over"


def test_it_happens_once() -> None:
    rule = Recurrence(datetime(2026, 12, 1, 8))
    found = list(_times(rule, PARIS, datetime(2026, 11, 30, tzinfo=UTC), 2))
    assert found == ["Tue 12-01 08:00", "over"]


def test_every_three_days_counts_from_the_start() -> None:
    rule = Recurrence(datetime(2026, 12, 1, 8), Repeats.DAILY, every=3)
    found = list(_times(rule, PARIS, datetime(2026, 12, 5, 12, tzinfo=UTC), 2))
    assert found == ["Mon 12-07 08:00", "Thu 12-10 08:00"]


def test_weekdays_leave_the_weekend_out() -> None:
    rule = Recurrence(datetime(2026, 12, 4, 9), Repeats.WEEKLY, weekdays=(0, 1, 2, 3, 4))
    found = list(_times(rule, PARIS, datetime(2026, 12, 4, tzinfo=UTC), 3))
    assert found == ["Fri 12-04 09:00", "Mon 12-07 09:00", "Tue 12-08 09:00"]


def test_every_second_week_skips_the_weeks_between() -> None:
    rule = Recurrence(datetime(2026, 12, 2, 9), Repeats.WEEKLY, every=2, weekdays=(0, 4))
    found = list(_times(rule, PARIS, datetime(2026, 12, 1, tzinfo=UTC), 3))
    # The Monday of the first week is before its start.
    assert found == ["Fri 12-04 09:00", "Mon 12-14 09:00", "Fri 12-18 09:00"]


def test_the_31st_is_the_last_day_of_a_shorter_month() -> None:
    rule = Recurrence(datetime(2026, 12, 31, 9), Repeats.MONTHLY_BY_DAY, month_day=31)
    found = list(_times(rule, PARIS, datetime(2026, 12, 1, tzinfo=UTC), 3))
    assert found == ["Thu 12-31 09:00", "Sun 01-31 09:00", "Sun 02-28 09:00"]


@pytest.mark.parametrize(("week", "first"), [(1, "Mon 12-07 09:00"), (-1, "Mon 12-28 09:00")])
def test_a_month_has_its_first_and_its_last_monday(week: int, first: str) -> None:
    rule = Recurrence(
        datetime(2026, 12, 1, 9), Repeats.MONTHLY_BY_WEEKDAY, weekdays=(0,), month_week=week
    )
    assert next(_times(rule, PARIS, datetime(2026, 12, 1, tzinfo=UTC), 1)) == first


def test_the_last_day_counts_and_no_later_one() -> None:
    rule = Recurrence(datetime(2026, 12, 1, 8), Repeats.DAILY, until=date(2026, 12, 2))
    found = list(_times(rule, PARIS, datetime(2026, 11, 30, tzinfo=UTC), 3))
    assert found == ["Tue 12-01 08:00", "Wed 12-02 08:00", "over"]


def test_an_hour_that_is_skipped_in_spring_comes_an_hour_later() -> None:
    rule = Recurrence(datetime(2027, 3, 13, 2, 30), Repeats.DAILY)
    found = list(_times(rule, NEW_YORK, datetime(2027, 3, 12, 12, tzinfo=UTC), 3))
    assert found == ["Sat 03-13 02:30", "Sun 03-14 03:30", "Mon 03-15 02:30"]


def test_an_hour_that_comes_twice_in_autumn_counts_once() -> None:
    rule = Recurrence(datetime(2026, 10, 31, 1, 30), Repeats.DAILY)
    found = list(_times(rule, NEW_YORK, datetime(2026, 10, 31, tzinfo=UTC), 3))
    assert found == ["Sat 10-31 01:30", "Sun 11-01 01:30", "Mon 11-02 01:30"]


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("night", [date(2027, 3, 27), date(2026, 10, 24), date(2027, 4, 3)])
def test_tomorrow_at_eight_is_at_eight_by_that_clock(zone: str, night: date) -> None:
    tomorrow = night + timedelta(days=1)
    rule = Recurrence(datetime.combine(tomorrow, datetime.min.time().replace(hour=8)))
    said_at = datetime.combine(night, datetime.min.time(), tzinfo=ZoneInfo(zone))
    due = next_after(rule, ZoneInfo(zone), said_at)
    assert due is not None
    assert f"{due.astimezone(ZoneInfo(zone)):%F %H:%M}" == f"{tomorrow} 08:00"


def test_what_was_missed_is_counted_and_bounded() -> None:
    rule, now = (
        Recurrence(datetime(2026, 12, 1, 8), Repeats.DAILY),
        datetime(2026, 12, 5, tzinfo=UTC),
    )
    first = next_after(rule, PARIS, datetime(2026, 11, 30, tzinfo=UTC))
    assert first is not None
    count, following = count_between(rule, PARIS, first, now)
    assert (count, following) == (3, datetime(2026, 12, 5, 7, tzinfo=UTC))
    count, following = count_between(rule, PARIS, first, now + timedelta(days=3650))
    assert count == 100
    assert following is not None
    assert following > now + timedelta(days=3650)


HOSTILE: list[dict[str, Any]] = [
    *({"repeats": one, "every": n} for one in Repeats for n in (0, -1, 10**6, 2**70)),
    *({"repeats": Repeats.WEEKLY, "weekdays": days} for days in ((), (7,), (-1,), (1, 1), (3, 1))),
    *({"repeats": Repeats.MONTHLY_BY_DAY, "month_day": day} for day in (None, 0, -1, 32, 2**70)),
    *(
        {"repeats": Repeats.MONTHLY_BY_WEEKDAY, "weekdays": (0,), "month_week": week}
        for week in (None, 0, 5, -2, 2**70)
    ),
    *(
        {"repeats": Repeats.MONTHLY_BY_WEEKDAY, "weekdays": d, "month_week": 1}
        for d in ((), (0, 1))
    ),
    *({"repeats": one, "until": date(2026, 11, 1)} for one in Repeats),
    *({"month_day": 31}, {"month_week": 1}, {"weekdays": (0,)}, {"until": date(2030, 1, 1)}),
    {"start": datetime(9999, 12, 31, 23, 59)},
    {"start": datetime(1, 1, 1)},
    {"start": datetime(2026, 12, 1, 8, tzinfo=UTC)},
    {"start": datetime(2200, 1, 1), "repeats": Repeats.DAILY},
]


def test_fifty_hostile_recurrences_are_refused_at_once() -> None:
    assert len(HOSTILE) >= 50
    for fields in HOSTILE:
        given: dict[str, Any] = {"start": datetime(2026, 12, 1, 8), **fields}
        with no_more_than(0.05), pytest.raises(BadRecurrence):
            Recurrence(**given).checked(TODAY)


@given(
    repeats=st.sampled_from(list(Repeats)),
    every=st.integers(1, 400),
    weekdays=st.sets(st.integers(0, 6), min_size=1),
    day=st.integers(1, 31),
    week=st.sampled_from([1, 2, 3, 4, -1]),
    start=st.datetimes(datetime(2026, 1, 1), datetime(2030, 1, 1)),
    after=st.datetimes(datetime(2025, 1, 1), datetime(2060, 1, 1)),
    zone=st.sampled_from(ZONES),
)
def test_times_go_on_later_than_asked_and_as_the_rule_says(
    repeats: Repeats,
    every: int,
    weekdays: set[int],
    day: int,
    week: int,
    start: datetime,
    after: datetime,
    zone: str,
) -> None:
    by_day, by_week = Repeats.MONTHLY_BY_DAY, Repeats.MONTHLY_BY_WEEKDAY
    days = {Repeats.WEEKLY: tuple(sorted(weekdays)), by_week: (min(weekdays),)}
    rule = Recurrence(
        start,
        repeats,
        every=min(every, MOST_EVERY[repeats]),
        weekdays=days.get(repeats, ()),
        month_day=day if repeats is by_day else None,
        month_week=week if repeats is by_week else None,
    ).checked(TODAY)
    where, moment = ZoneInfo(zone), after.replace(tzinfo=UTC)
    due = next_after(rule, where, moment)
    if repeats is Repeats.ONCE:
        assert due is None or due > moment
        return
    assert due is not None
    assert due > moment
    local = due.astimezone(where)
    assert local.date() >= start.date()
    if rule.weekdays and abs(local.replace(tzinfo=None) - start) > timedelta(days=1):
        assert local.weekday() in rule.weekdays


@pytest.mark.parametrize(
    "rule",
    [
        Recurrence(datetime(9999, 12, 1, 9), Repeats.DAILY),
        Recurrence(datetime(9990, 1, 5, 9), Repeats.MONTHLY_BY_DAY, every=120, month_day=5),
        Recurrence(datetime(9999, 12, 1, 9), Repeats.WEEKLY, weekdays=(2,)),
    ],
)
def test_what_repeats_ends_with_the_calendar(rule: Recurrence) -> None:
    last = datetime(9999, 12, 30, 12, tzinfo=UTC)
    assert recurrence.next_after(rule, PARIS, last + timedelta(hours=20)) is None
