"""Requests on connections that are kept open, as many as are answered: a small `wrk`."""

import asyncio
import itertools
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

HEAD_END = b"\r\n\r\n"
LENGTH = b"content-length: "


class Asking(asyncio.Protocol):
    """One connection, which asks again as soon as it has its answer."""

    def __init__(self, requests: Iterator[bytes], ends_at: float) -> None:
        self.answered: list[float] = []
        self.over = asyncio.get_running_loop().create_future()
        self._requests, self._ends_at = requests, ends_at
        self._asked_at, self._missing = 0.0, 0
        self._head = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._ask()

    def data_received(self, data: bytes) -> None:
        if not self._missing:
            self._head += data
            head, found, body = self._head.partition(HEAD_END)
            if not found:
                return
            assert head.startswith((b"HTTP/1.1 200", b"HTTP/1.1 304")), head[:200]
            self._missing = _length(head)
            self._head, data = b"", body
        self._missing -= len(data)
        if self._missing <= 0:
            self.answered.append(time.perf_counter() - self._asked_at)
            self._ask()

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.over.done():
            self.over.set_exception(exc or ConnectionError("the server hung up"))

    def _ask(self) -> None:
        self._asked_at, self._missing = time.perf_counter(), 0
        if self._asked_at >= self._ends_at:
            if not self.over.done():
                self.over.set_result(None)
            self._transport.close()
            return
        self._transport.write(next(self._requests))


def _length(head: bytes) -> int:
    # Without one there is nothing: "not modified".
    _, found, rest = head.lower().partition(LENGTH)
    return int(rest.partition(b"\r\n")[0]) if found else 0


def rate(port: int, requests: Sequence[bytes], connections: int, seconds: float) -> float:
    """Return how many of `requests`, over and over, are answered in a second."""
    return asyncio.run(_rate(port, requests, connections, seconds))


async def _rate(port: int, requests: Sequence[bytes], connections: int, seconds: float) -> float:
    loop, turn = asyncio.get_running_loop(), itertools.cycle(requests)
    began = time.perf_counter()
    asking = [
        (await loop.create_connection(lambda: Asking(turn, began + seconds), "127.0.0.1", port))[1]
        for _ in range(connections)
    ]
    await asyncio.gather(*(one.over for one in asking))
    return sum(len(one.answered) for one in asking) / (time.perf_counter() - began)


def a_process() -> ProcessPoolExecutor:
    """A process of its own for who asks, so that it does not share an interpreter with us."""
    return ProcessPoolExecutor(1, mp_context=get_context("spawn"))
