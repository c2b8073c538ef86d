"""What stop signals do to a stack, whenever they come."""

import signal
from collections.abc import Generator
from pathlib import Path
from threading import Event

import pytest

from embedded.__main__ import Ending, StoppedEarly
from embedded.stack import Stack
from tests.embedded.stand_ins import wait_until
from tests.interrupting import count_moments


@pytest.fixture
def stack(tmp_path: Path) -> Generator[Stack]:
    """A stack that is not started; afterwards SIGTERM does what it did before."""
    before = signal.getsignal(signal.SIGTERM)
    yield Stack(tmp_path / "data")
    signal.signal(signal.SIGTERM, before)


def _ending(stack: Stack, *, is_starting: bool = False) -> Ending:
    ending = Ending(stack)
    ending.is_starting = is_starting
    signal.signal(signal.SIGTERM, ending.ask)
    return ending


@pytest.mark.timeout(60)
def test_a_signal_at_any_moment_of_the_wait_ends_it(stack: Stack) -> None:
    def asked() -> Event:
        return _ending(stack).asked

    assert count_moments(signal.SIGTERM, asked) > 10


def test_the_first_signal_breaks_off_the_start_and_the_next_ones_do_not(stack: Stack) -> None:
    ending = _ending(stack, is_starting=True)
    with pytest.raises(StoppedEarly):
        signal.raise_signal(signal.SIGTERM)
    assert not stack.supervisor.haste.is_set()
    signal.raise_signal(signal.SIGTERM)
    wait_until(stack.supervisor.haste.is_set)
    assert ending.asked.is_set()


def test_a_second_signal_hurries_the_end(stack: Stack) -> None:
    ending = _ending(stack)
    signal.raise_signal(signal.SIGTERM)
    wait_until(ending.asked.is_set)
    assert not stack.supervisor.haste.is_set()
    signal.raise_signal(signal.SIGTERM)
    wait_until(stack.supervisor.haste.is_set)
