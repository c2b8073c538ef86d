"""Many browsers that look at live streams, in a process of their own."""

import asyncio
import gc
import resource
import time
from collections.abc import Sequence
from multiprocessing import get_context
from multiprocessing.connection import Connection
from typing import Any

# So many connect at once.
AT_ONCE = 100
PATIENCE_SECONDS = 60
TEXT = b'"text":"'


class Looking(asyncio.Protocol):
    """One stream; notes how long ago each text that comes was published."""

    def __init__(self, request: bytes, waits_for: bytes) -> None:
        self.request, self.waits_for = request, waits_for
        self.late: list[float] = []
        self.is_open = asyncio.get_running_loop().create_future()
        self.is_lost = False
        self._first = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        transport.write(self.request)

    def data_received(self, data: bytes) -> None:
        if not self.is_open.done():
            self._first += data
            if self.waits_for in self._first:
                self.is_open.set_result(None)
        now = time.monotonic_ns()
        for told in data.split(TEXT)[1:]:
            self.late.append((now - int(told.partition(b" ")[0])) / 1e9)

    def connection_lost(self, exc: Exception | None) -> None:
        self.is_lost = True
        if not self.is_open.done():
            self.is_open.set_exception(exc or ConnectionError(f"hung up after {self._first[:300]}"))


class Crowd:
    """What the process does when it is told to."""

    def __init__(self) -> None:
        self._all: list[Looking] = []

    async def open(self, port: int, asked: Sequence[tuple[bytes, bytes]]) -> float:
        """Open a stream for each request, wait until each has its first bytes; return seconds."""
        began, slots = time.perf_counter(), asyncio.Semaphore(AT_ONCE)
        self._all += await asyncio.gather(*(self._one(port, slots, *one) for one in asked))
        return time.perf_counter() - began

    async def come_back(self, port: int, count: int) -> float:
        """Drop so many, and let them all come back at once; return seconds, inf if one cannot."""
        gone, self._all = self._all[:count], self._all[count:]
        for one in gone:
            one.transport.abort()
        try:
            return await self.open(port, [(one.request, one.waits_for) for one in gone])
        except (TimeoutError, OSError):
            return float("inf")

    async def hear(self, seconds: float) -> tuple[list[float], int]:
        """Listen for so long; return how late each text was, and how many streams were lost."""
        for one in self._all:
            one.late.clear()
        await asyncio.sleep(seconds)
        late = [at for one in self._all for at in one.late]
        return late, sum(one.is_lost for one in self._all)

    async def leave(self) -> None:
        for one in self._all:
            one.transport.abort()
        self._all = []

    async def _one(
        self, port: int, slots: asyncio.Semaphore, request: bytes, waits_for: bytes
    ) -> Looking:
        loop = asyncio.get_running_loop()
        async with slots:
            _, looking = await loop.create_connection(
                lambda: Looking(request, waits_for), "127.0.0.1", port
            )
            await asyncio.wait_for(looking.is_open, PATIENCE_SECONDS)
        return looking


class Elsewhere:
    """A crowd in another process; each call waits for its end."""

    def __init__(self) -> None:
        context = get_context("spawn")
        self._pipe, other = context.Pipe()
        self._process = context.Process(target=_serve, args=(other,), daemon=True)
        self._process.start()

    def do(self, name: str, *arguments: object) -> Any:
        self._pipe.send((name, arguments))
        done, result = self._pipe.recv()
        assert done, result
        return result

    def close(self) -> None:
        self._pipe.send(None)
        self._process.join()


def open_many_files() -> None:
    """Let this process have as many connections as the system allows."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def _serve(pipe: Connection) -> None:
    open_many_files()
    crowd, loop = Crowd(), asyncio.new_event_loop()
    # Its own rubbish must not look like lateness of the server's.
    gc.disable()
    while (told := pipe.recv()) is not None:
        name, arguments = told
        try:
            pipe.send((True, loop.run_until_complete(getattr(crowd, name)(*arguments))))
        except Exception as error:  # noqa: BLE001  # it is the result
            pipe.send((False, repr(error)))
