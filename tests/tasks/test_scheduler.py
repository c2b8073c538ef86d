"""The clock adds numbers up, and ends when it is told to, whatever it does just then."""

import signal
import threading
from collections.abc import Callable, Generator
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session
from structlog.testing import capture_logs

from models.database import unit_of_work
from models.schema.rollups import DayTotals, HourTotals
from settings import Settings
from tasks import analytics, scheduler, upkeep
from tasks.scheduler import over_at_a_signal, run_numbers
from tests import factories
from tests.interrupting import count_moments


@pytest.fixture
def signals() -> Generator[tuple[signal.Signals, ...]]:
    """The signals that end it; afterwards they do what they did before."""
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    yield tuple(before)
    for number, handler in before.items():
        signal.signal(number, handler)


def test_the_clock_adds_the_numbers_up(emptied: sa.Engine) -> None:
    with unit_of_work() as db:
        factories.job(db, factories.user(db, "ada@example.org"))
    over = threading.Event()
    over.set()
    run_numbers(over)
    for table in (HourTotals, DayTotals):
        with Session(emptied) as db:
            row = db.scalars(sa.select(table)).one()
            assert (row.sign_ups, row.messages, row.active_users) == (1, 1, 1)


@pytest.mark.parametrize(
    ("loop", "asked", "said"),
    [
        (scheduler.run, (upkeep, "sweep"), "sweep.failed"),
        (scheduler.run_numbers, (upkeep, "roll_up"), "rollup.failed"),
        (scheduler.run_analytics, (analytics, "forward"), "analytics.failed"),
    ],
)
def test_what_fails_is_said_and_tried_again(
    loop: Callable[[threading.Event], None],
    asked: tuple[object, str],
    said: str,
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    over, tried = threading.Event(), list[int]()

    def _fails() -> None:
        tried.append(1)
        if len(tried) == 3:
            over.set()
        raise RuntimeError("nobody thought of it")

    quick: Any = settings.model_copy(update={"sweep_seconds": 0.01})
    monkeypatch.setattr(scheduler, "get_settings", lambda: quick)
    monkeypatch.setattr(scheduler, "ROLLUP_SECONDS", 0.01)
    monkeypatch.setattr(scheduler, "ANALYTICS_SECONDS", 0.01)
    monkeypatch.setattr(*asked, _fails)
    with capture_logs() as lines:
        loop(over)

    assert [line["event"] for line in lines] == [said] * 3


@pytest.mark.timeout(60)
def test_a_signal_at_any_moment_of_the_wait_ends_it(signals: tuple[signal.Signals, ...]) -> None:
    for number in signals:
        assert count_moments(number, over_at_a_signal) > 10
