"""Drains a full queue, and times single jobs, with two worker processes each."""

import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import redis
import sqlalchemy as sa

from bench.queues import limit, work
from bench.queues.databases import Databases, Sent, engine_of
from bench.queues.senders import Sender

PROCESSES = 2
PEOPLE = 2000
READY_SECONDS = 60
DRAIN_SECONDS = 60
# The first jobs of a process are slower: connections, plans.
WARM_UP = 20
RATE = 20
BOOKED = sa.text("SELECT created_at FROM transactions WHERE kind = 'charge' ORDER BY created_at")


@dataclass
class Contestant:
    """A queue, how many jobs each worker process has at once, and what was measured of it."""

    name: str
    module: str
    sender: Callable[[str, str], Sender]
    slots: int
    # How many jobs are drained: a few seconds' worth.
    drained: int
    rates: list[float] = field(default_factory=list[float])
    waits: list[float] = field(default_factory=list[float])

    @property
    def rate(self) -> float:
        """Jobs per second."""
        return statistics.median(self.rates)

    def wait_ms(self, percent: int) -> float:
        """Milliseconds from enqueue to start, of so many percent of the jobs."""
        return 1000 * statistics.quantiles(self.waits, n=100)[percent - 1]


@dataclass
class Place:
    """A fresh database and an empty Redis."""

    databases: Databases
    redis_url: str

    @contextmanager
    def opened(self, one: Contestant, each: int) -> Generator[tuple[str, Sender, list[Sent]]]:
        """Give a queue its database, with `each` messages of every person written."""
        client: Any = redis.Redis.from_url(self.redis_url)  # pyright: ignore[reportUnknownMemberType]
        client.flushdb()
        url = self.databases.fresh(PEOPLE)
        engine = engine_of(url)
        with engine.begin() as connection:
            sent = work.write_messages(connection, each)
        engine.dispose()
        sender = one.sender(url, self.redis_url)
        try:
            yield url, sender, sent
        finally:
            sender.close()


class Workers:
    """Worker processes, and the starts that they print."""

    def __init__(self, one: Contestant, url: str, redis_url: str, *, has_marks: bool) -> None:
        self.starts: dict[str, float] = {}
        self._ready = threading.Semaphore(0)
        marks = "marks" if has_marks else "silent"
        command = [sys.executable, "-m", one.module, url, redis_url, str(one.slots), marks]
        self._processes = [
            subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
            for _ in range(PROCESSES)
        ]
        for process in self._processes:
            threading.Thread(target=self._read, args=(process,), daemon=True).start()

    def wait_until_ready(self) -> None:
        for _ in self._processes:
            assert self._ready.acquire(timeout=READY_SECONDS), "a worker did not come up"

    def stop(self) -> None:
        for process in self._processes:
            assert process.stdin
            process.stdin.close()
        for process in self._processes:
            try:
                process.wait(15)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def _read(self, process: "subprocess.Popen[str]") -> None:
        assert process.stdout
        for line in process.stdout:
            if line == "ready\n":
                self._ready.release()
            else:
                key, at = line.split()
                self.starts[key] = float(at)


def drain(place: Place, one: Contestant) -> None:
    """Have a full queue emptied; note the jobs per second of its middle nine tenths."""
    with place.opened(one, one.drained // PEOPLE) as (url, sender, sent):
        sender.fill(sent)
        workers = Workers(one, url, place.redis_url, has_marks=False)
        try:
            one.rates.append(_rate(url, len(sent)))
        finally:
            workers.stop()


def drain_without_python(place: Place, one: Contestant) -> None:
    """Have pgbench do so with our statements."""
    with place.opened(one, one.drained // PEOPLE) as (url, sender, sent):
        sender.fill(sent)
        limit.run(url, one.slots, len(sent), PROCESSES)
        one.rates.append(_rate(url, len(sent)))


def time_starts(place: Place, one: Contestant, count: int) -> None:
    """Send single jobs, RATE a second; note how long after the commit each one starts."""
    with place.opened(one, 0) as (url, sender, _):
        people = _people(url)
        workers = Workers(one, url, place.redis_url, has_marks=True)
        workers.wait_until_ready()
        try:
            since = _send_evenly(sender, people[: WARM_UP + count])
            _wait_for(lambda: len(workers.starts) >= len(since))
        finally:
            workers.stop()
    counted = list(since.items())[WARM_UP:]
    one.waits += [workers.starts[key] - at for key, at in counted]


def _send_evenly(sender: Sender, people: list[Sent]) -> dict[str, float]:
    since: dict[str, float] = {}
    began = time.monotonic()
    for number, message in enumerate(people):
        time.sleep(max(0.0, began + number / RATE - time.monotonic()))
        key, at = sender.send(message)
        since[key] = at
    return since


def _people(url: str) -> list[Sent]:
    engine = engine_of(url)
    with engine.connect() as connection:
        people = work.unwritten(connection)
    engine.dispose()
    return people


def _rate(url: str, count: int) -> float:
    engine = engine_of(url)
    try:
        times = _wait_until_booked(engine, count)
    finally:
        engine.dispose()
    first, last = len(times) // 20, len(times) * 19 // 20
    return (last - first) / (times[last] - times[first]).total_seconds()


def _wait_until_booked(engine: sa.Engine, count: int) -> list[Any]:
    def _is_done() -> bool:
        with engine.connect() as connection:
            booked = connection.scalar(sa.text("SELECT count(*) FROM transactions")) or 0
        return booked >= count

    _wait_for(_is_done)
    with engine.connect() as connection:
        return list(connection.scalars(BOOKED))


def _wait_for(look: Callable[[], bool]) -> None:
    ends = time.monotonic() + DRAIN_SECONDS
    while not look():
        assert time.monotonic() < ends, "not all jobs were done in time"
        time.sleep(0.3)
