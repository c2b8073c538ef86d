"""Quiet hours: by the user's own clock, over midnight, and on days that are longer or shorter."""

from datetime import UTC, datetime

import pytest
from sqlalchemy.orm import Session

from models.notifications import quiet_hours
from models.notifications.quiet_hours import BadQuietHours
from models.schema.users import User

NIGHT = (22 * 60, 7 * 60)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def end(user: User, zone: str, hours: tuple[int, int], now: str) -> str | None:
    user.timezone = zone
    quiet_hours.choose(user, *hours)
    ends = quiet_hours.end(user, at(now))
    return ends.strftime("%Y-%m-%d %H:%M") if ends else None


@pytest.mark.parametrize(
    ("now", "ends"),
    [
        ("2026-01-10 20:59", None),
        ("2026-01-10 21:00", "2026-01-11 06:00"),
        ("2026-01-10 22:59", "2026-01-11 06:00"),
        # Midnight there.
        ("2026-01-10 23:00", "2026-01-11 06:00"),
        ("2026-01-11 05:59", "2026-01-11 06:00"),
        ("2026-01-11 06:00", None),
        ("2026-07-10 19:59", None),
        ("2026-07-10 20:00", "2026-07-11 05:00"),
    ],
)
def test_a_night_in_berlin_ends_in_the_morning(ada: User, now: str, ends: str | None) -> None:
    assert end(ada, "Europe/Berlin", NIGHT, now) == ends


@pytest.mark.parametrize(
    ("now", "ends"),
    [
        # Clocks go forward at 01:00 UTC on 29 March: the night is an hour shorter.
        ("2026-03-28 22:00", "2026-03-29 05:00"),
        ("2026-03-29 04:59", "2026-03-29 05:00"),
        # And back at 01:00 UTC on 25 October: it is an hour longer.
        ("2026-10-24 21:00", "2026-10-25 06:00"),
        ("2026-10-25 05:59", "2026-10-25 06:00"),
    ],
)
def test_a_night_in_which_clocks_change_ends_by_the_clock(ada: User, now: str, ends: str) -> None:
    assert end(ada, "Europe/Berlin", NIGHT, now) == ends


def test_an_end_that_is_left_out_comes_as_soon_as_there_is_such_a_time(ada: User) -> None:
    # In New York there is no 02:30 on 8 March.
    assert end(ada, "America/New_York", (0, 150), "2026-03-08 06:30") == "2026-03-08 07:30"


def test_an_end_that_comes_twice_counts_whenever_it_is_next(ada: User) -> None:
    # In New York it is 01:30 twice on 1 November, at 05:30 and at 06:30 UTC.
    hours = (0, 90)
    assert end(ada, "America/New_York", hours, "2026-11-01 05:00") == "2026-11-01 05:30"
    assert end(ada, "America/New_York", hours, "2026-11-01 05:45") is None
    assert end(ada, "America/New_York", hours, "2026-11-01 06:10") == "2026-11-01 06:30"


def test_quiet_hours_may_lie_within_a_day(ada: User) -> None:
    midday = (12 * 60, 14 * 60)
    assert end(ada, "UTC", midday, "2026-01-10 11:59") is None
    assert end(ada, "UTC", midday, "2026-01-10 12:00") == "2026-01-10 14:00"
    assert end(ada, "UTC", midday, "2026-01-10 14:00") is None


def test_without_them_nothing_is_held(ada: User, db: Session) -> None:
    quiet_hours.choose(ada, None, None)
    db.flush()
    assert quiet_hours.end(ada, at("2026-01-10 23:00")) is None


@pytest.mark.parametrize("hours", [(60, None), (None, 60), (60, 60)])
def test_half_of_them_and_no_time_at_all_are_refused(
    ada: User, hours: tuple[int | None, int | None]
) -> None:
    quiet_hours.choose(ada, *NIGHT)
    with pytest.raises(BadQuietHours):
        quiet_hours.choose(ada, *hours)
    assert (ada.quiet_from_minute, ada.quiet_until_minute) == NIGHT
