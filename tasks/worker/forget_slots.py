"""How many people's saved files one worker process takes apart at once: each is whole in memory."""

import threading
from collections.abc import Generator
from contextlib import contextmanager

# One that a turn waits for, beside one that nobody waits for.
AT_ONCE = 2
LOOK_SECONDS = 0.5


class Editing:
    """The places for it. Turns wait for one; what nobody waits for is put off instead."""

    def __init__(self) -> None:
        self._places = threading.BoundedSemaphore(AT_ONCE)
        self._background = threading.Lock()

    def begin(self) -> bool:
        """Take the place of what nobody waits for, if it is free; whoever has it calls `done`."""
        if not self._background.acquire(blocking=False):
            return False
        if self._places.acquire(blocking=False):
            return True
        self._background.release()
        return False

    @property
    def is_busy(self) -> bool:
        """Whether files are being taken apart in the background."""
        return self._background.locked()

    def done(self) -> None:
        """Give back the place that `begin` took; any thread may."""
        self._places.release()
        self._background.release()

    @contextmanager
    def turn(self, stop: threading.Event) -> Generator[bool]:
        """Wait for a place; False, without one, when the turn is stopped before."""
        while not self._places.acquire(timeout=LOOK_SECONDS):
            if stop.is_set():
                yield False
                return
        try:
            yield True
        finally:
            self._places.release()

    def end(self, seconds: float) -> None:
        """Begin nothing more in the background; wait for what is under way for so long."""
        self._background.acquire(timeout=seconds)
