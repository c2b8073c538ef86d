"""The clock ends when it is told to, whatever it does just then."""

import signal
from collections.abc import Generator

import pytest

from tasks.scheduler import over_at_a_signal
from tests.interrupting import count_moments


@pytest.fixture
def signals() -> Generator[tuple[signal.Signals, ...]]:
    """The signals that end it; afterwards they do what they did before."""
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    yield tuple(before)
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.timeout(60)
def test_a_signal_at_any_moment_of_the_wait_ends_it(signals: tuple[signal.Signals, ...]) -> None:
    for number in signals:
        assert count_moments(number, over_at_a_signal) > 10
