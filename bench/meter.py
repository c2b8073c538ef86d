"""Hundreds of model answers that stream through one worker's meter at once.

Against the same answers straight from the provider: how much later the first word comes, and how
much longer a whole answer takes; and what processor time a thousand words cost the meter. Each
stream is another person's cell, with a socket, a token and books of its own.
"""

import argparse
import asyncio
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncGenerator, Generator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path

import aiohttp

from agent.meter.server import Meter
from agent.prices import Prices
from bench.crowd import open_many_files
from embedded.engine import PROJECT_DIR
from embedded.ports import free_port
from tests.agent.meter.world import MODELS, TOKEN, MemoryBooks, settings, turn

STREAMS, WORDS, PAUSE_MS = 300, 100, 100
PATH = "/demo/v1/chat/completions"
# Longer than all of them take to begin.
LATER_SECONDS = 1.0
LATE_LIMIT_SECONDS = 0.1


@dataclass(frozen=True)
class Streamed:
    """Seconds to each stream's first word, and by how much each took longer than its words."""

    what: str
    first: list[float]
    over: list[float]
    cpu: float

    @property
    def p99(self) -> float:
        return statistics.quantiles(self.first, n=100)[98]

    def __str__(self) -> str:
        thousand = 1000 * self.cpu / (len(self.first) * WORDS)
        return (
            f"{self.what:<22}{len(self.first):5} streams   first word p50"
            f" {1000 * statistics.median(self.first):6.0f}  p99 {1000 * self.p99:6.0f} ms"
            f"   whole answer later by {1000 * statistics.median(self.over):6.0f} ms"
            f"   {thousand:5.2f} CPU-s per 1,000 words"
        )


def main(arguments: list[str]) -> int:
    """Measure both ways, and print; return 1 when the meter makes people wait."""
    parser = argparse.ArgumentParser(prog="bench meter")
    parser.add_argument("--streams", type=int, default=STREAMS)
    count = parser.parse_args(arguments).streams
    open_many_files()
    with _demo_model() as url:
        straight, metered = asyncio.run(_measure(url, count))
    print(straight)
    print(metered)
    late = metered.p99 - straight.p99
    print(f"\nfirst word p99, through the meter: {1000 * late:+.0f} ms", end="")
    print(f"  (target: at most {1000 * LATE_LIMIT_SECONDS:.0f} ms)")
    return 0 if late <= LATE_LIMIT_SECONDS else 1


@contextmanager
def _demo_model() -> Generator[str]:
    port = free_port()
    command = [sys.executable, "-m", "embedded.demo_model", "--scriptable", "--port", str(port)]
    model = subprocess.Popen(command, cwd=PROJECT_DIR, stdout=subprocess.DEVNULL)
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        model.terminate()
        model.wait()


async def _measure(url: str, count: int) -> tuple[Streamed, Streamed]:
    await _until_answers(url)
    straight = await _stream("straight", [(url, "/v1/chat/completions")] * count)
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        async with _ports(url, Path(folder), count) as sockets:
            metered = await _stream("through the meter", [(one, PATH) for one in sockets])
    return straight, metered


@asynccontextmanager
async def _ports(url: str, folder: Path, count: int) -> AsyncGenerator[list[str]]:
    """Open a port for each stream, in each of which a turn has begun."""
    given = settings("demo", url)
    meter = Meter(given, Prices(given))
    ports = [await meter.listen(folder / str(number), TOKEN) for number in range(count)]
    for port in ports:
        port.begin(turn(MODELS["demo"]), MemoryBooks())
    try:
        yield [str(port.socket_path) for port in ports]
    finally:
        for port in ports:
            await port.close()
        await meter.close()


async def _stream(what: str, doors: Sequence[tuple[str, str]]) -> Streamed:
    """Have all answers read by another process, which is not what is measured."""
    before = time.process_time()
    pipe, other = get_context("spawn").Pipe()
    reader = get_context("spawn").Process(target=_read_all, args=(other, doors), daemon=True)
    reader.start()
    first, over = await asyncio.to_thread(pipe.recv)
    reader.join()
    return Streamed(what, first, over, time.process_time() - before)


def _read_all(pipe: Connection, doors: Sequence[tuple[str, str]]) -> None:
    open_many_files()
    pipe.send(asyncio.run(_together(doors)))


async def _together(doors: Sequence[tuple[str, str]]) -> tuple[list[float], list[float]]:
    begin = time.monotonic() + LATER_SECONDS
    read = await asyncio.gather(*(_one(door, path, begin) for door, path in doors))
    return [first for first, _ in read], [over for _, over in read]


async def _one(door: str, path: str, begin: float) -> tuple[float, float]:
    """Read one answer; return the seconds to its first word, and those beyond its pauses."""
    is_socket = not door.startswith("http")
    connector = aiohttp.UnixConnector(door) if is_socket else None
    words = f"[[demo: words {WORDS}]] [[demo: slow {PAUSE_MS}ms]]"
    body = {"model": "demo", "stream": True, "messages": [{"role": "user", "content": words}]}
    headers = {"Authorization": f"Bearer {TOKEN}"}
    async with aiohttp.ClientSession(connector=connector) as session:
        await asyncio.sleep(begin - time.monotonic())
        began, first = time.monotonic(), 0.0
        url = f"http://cell{path}" if is_socket else f"{door}{path}"
        async with session.post(url, json=body, headers=headers) as response:
            assert response.status == 200, await response.text()
            async for line in response.content:
                if not first and b'"content"' in line:
                    first = time.monotonic()
        return first - began, time.monotonic() - began - WORDS * PAUSE_MS / 1000


async def _until_answers(url: str) -> None:
    async with asyncio.timeout(20), aiohttp.ClientSession() as session:
        while True:
            try:
                async with session.get(f"{url}/_recorded"):
                    return
            except aiohttp.ClientError:
                await asyncio.sleep(0.1)
