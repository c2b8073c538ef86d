"""How values are shown."""

from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask
from hypothesis import given
from hypothesis import strategies as st

from models.money import money
from models.schema.users import User
from tests.webapp.browser import Browser
from webapp.core.formats import ago, dom_id, local_day, local_time

NOW = datetime(2026, 3, 29, 0, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("micros", "shown"),
    [
        (0, "$0.00"),
        (1, "$0.000001"),
        (99, "$0.000099"),
        (4_100, "$0.0041"),
        (9_999, "$0.0100"),
        (10_000, "$0.01"),
        (995_000, "$1.00"),
        (1_000_000, "$1.00"),
        (1_234_567_890, "$1,234.57"),
        (-12_300, "-$0.01"),
        (-4_100, "-$0.0041"),
    ],
)
def test_money_is_shown_in_dollars(micros: int, shown: str) -> None:
    assert money(micros) == shown


@given(st.integers(min_value=1, max_value=10**12))
def test_money_that_is_there_is_never_shown_as_nothing(micros: int) -> None:
    assert money(micros).strip("$0.,")


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        (-5, "just now"),
        (59, "just now"),
        (60, "1 minute ago"),
        (3599, "59 minutes ago"),
        (7200, "2 hours ago"),
        (86_400, "1 day ago"),
        (7 * 86_400, "22 March 2026"),
    ],
)
def test_moments_are_told_as_people_do(app: Flask, seconds: int, shown: str) -> None:
    with app.test_request_context("/"):
        assert ago(NOW - timedelta(seconds=seconds), NOW) == shown


def test_times_are_those_of_whoever_looks(app: Flask, adas: Browser, ada: User) -> None:
    cookie = adas.client.get_cookie("session")
    assert cookie
    with app.test_request_context("/", headers={"Cookie": f"session={cookie.value}"}):
        assert ada.timezone == "Europe/Berlin"
        # The hour in which Berlin's clocks go forward.
        assert local_time(NOW) == "01:30"
        assert local_time(NOW + timedelta(hours=1)) == "03:30"
        assert local_day(NOW - timedelta(hours=2)) == "28 March 2026"
    with app.test_request_context("/"):
        assert local_time(NOW) == "00:30"


def test_a_row_has_one_id_on_every_page(ada: User) -> None:
    assert dom_id(ada) == f"user-{ada.id}"
    assert dom_id(ada, "name") == f"user-{ada.id}-name"
