"""Boots that fail are not tried again at once, whoever waits."""

import time

from agent.cells.boot.backoff import (
    FIRST_SECONDS,
    LONGEST_HURRIED_SECONDS,
    LONGEST_SECONDS,
    Backoff,
)
from tests.house import wait_for


def test_each_pause_is_twice_as_long_up_to_a_limit() -> None:
    pauses, seconds = Backoff(), list[float]()
    for _ in range(7):
        pauses.failed()
        seconds.append(pauses.seconds(is_hurried=False))

    assert seconds == [2, 4, 8, 16, 32, LONGEST_SECONDS, LONGEST_SECONDS]
    assert pauses.seconds(is_hurried=True) == LONGEST_HURRIED_SECONDS


def test_a_pause_is_kept_even_while_somebody_waits() -> None:
    pauses = Backoff()
    assert pauses.are_over(is_hurried=True)
    began = time.monotonic()
    pauses.failed()

    assert not pauses.are_over(is_hurried=True)
    wait_for(lambda: pauses.are_over(is_hurried=True), "the end of the pause")
    assert time.monotonic() - began >= FIRST_SECONDS
    for _ in range(5):
        pauses.failed()
    pauses.worked()
    assert pauses.are_over(is_hurried=False)
