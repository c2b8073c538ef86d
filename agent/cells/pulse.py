"""Waiting until something about a worker's cells has changed."""

import asyncio
from contextlib import suppress


class Pulse:
    """Wakes all who wait for the next change. Lives on one event loop."""

    def __init__(self) -> None:
        self._next = asyncio.Event()

    def fire(self) -> None:
        """Wake all who wait now; who comes later waits for the change after this one."""
        fired, self._next = self._next, asyncio.Event()
        fired.set()

    async def wait(self, seconds: float) -> None:
        """Return at the next change, or after `seconds` without one."""
        # Not wait_for, which in Python 3.11 forgets a cancellation that comes with the change.
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._next.wait()
