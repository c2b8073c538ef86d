"""Wakes those who wait for something to happen."""

import asyncio


class Pulse:
    """Whoever looks, finds nothing and then waits is woken by all that is told after the look."""

    def __init__(self) -> None:
        self._waiting: set[asyncio.Future[None]] = set()

    def fire(self) -> None:
        """Wake all who wait now."""
        for one in self._waiting:
            if not one.done():
                one.set_result(None)

    async def wait(self, seconds: float) -> None:
        """Wait until something is told, so long at most."""
        told: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.add(told)
        try:
            await asyncio.wait([told], timeout=max(0.001, seconds))
        finally:
            self._waiting.discard(told)
