"""Signals at each moment of a wait, one moment after the other."""

import itertools
import signal
import sys
from collections.abc import Callable, Generator
from contextlib import contextmanager
from threading import Event
from types import FrameType
from typing import Any

# With no signal a wait ends by itself after this, and all its moments have had one.
QUIET_SECONDS = 0.02
# It is another thread that sets the event.
SET_SECONDS = 20.0


def count_moments(number: signal.Signals, make: Callable[[], Event]) -> int:
    """Wait for an event that `make` has a signal set, with the signal at ever later moments.

    Returns at how many moments it came and was heard. A wait that it stops for ever stays so: give
    the test a time limit.
    """
    for step in itertools.count(1):
        event = make()
        with _signal_at(step, number) as has_come:
            event.wait(QUIET_SECONDS)
        if not has_come():
            return step - 1
        assert event.wait(SET_SECONDS), f"a signal at step {step} is not heard"
    raise AssertionError


@contextmanager
def _signal_at(step: int, number: signal.Signals) -> Generator[Callable[[], bool]]:
    """Raise a signal in this thread at the `step`-th instruction of what the block calls."""
    passed = 0

    def trace(frame: FrameType, happening: str, _: object) -> Any:
        nonlocal passed
        frame.f_trace_opcodes = True
        passed += happening == "opcode"
        if passed == step and happening == "opcode":
            sys.settrace(None)
            signal.raise_signal(number)
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        yield lambda: passed >= step
    finally:
        sys.settrace(before)
