"""Live streams of one web process: memory for each, lateness of each text, a storm of returns.

Each client is logged in and looks at a conversation of their own. In some of them an answer is
being written, by the script that workers use; the others wait, as open pages mostly do.
"""

import argparse
import statistics
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from bench.crowd import Elsewhere, open_many_files
from bench.site import Served, Site, Visitor
from embedded import product
from embedded.ports import free_port
from gateways.event_streams import Streams
from gateways.live_events import AttemptBegan, TextAdded
from models.base import new_id, utc_now
from models.schema.chat import Message, Role
from models.schema.jobs import Job, JobStatus
from settings import PROJECT_DIR

CLIENTS = 10_000
# As many threads as a process may reasonably have.
RIVAL_CLIENTS = 1_000
WRITTEN = 40
EVENTS_A_SECOND = 200
SECONDS = 20.0
STORM = 1_000
# Before memory is read, what was only needed for coming in goes.
REST_SECONDS = 5.0
KB_LIMIT, P99_LIMIT_SECONDS = 25.0, 0.010
OPENED, DRAWN = b"retry:", b"event: exchange"


@dataclass(frozen=True)
class Measured:
    """What one way of serving streams cost."""

    what: str
    clients: int
    kilobytes: float
    opened_seconds: float
    late: list[float]
    expected: int
    lost: int
    cpu_percent: float
    storm_seconds: float

    @property
    def p99(self) -> float:
        return statistics.quantiles(self.late, n=100)[98]

    def __str__(self) -> str:
        return (
            f"{self.what:<34}{self.clients:7,} {self.kilobytes:7.1f} KB "
            f"{statistics.median(self.late) * 1000:7.1f} {self.p99 * 1000:7.1f} ms "
            f"{self.cpu_percent:5.0f} % {self.opened_seconds:7.1f} {self.storm_seconds:7.1f} s "
            f"{len(self.late):6} of {self.expected}, {self.lost} cut"
        )


def main(arguments: list[str]) -> int:
    """Measure, and print; return 1 when a target is missed."""
    parser = argparse.ArgumentParser(prog="bench live")
    parser.add_argument("--clients", type=int, default=CLIENTS)
    parser.add_argument("--seconds", type=float, default=SECONDS)
    parser.add_argument("--alone", action="store_true", help="leave the alternatives out")
    given = parser.parse_args(arguments)
    open_many_files()
    with Site.for_one_run(PROJECT_DIR / ".test-data") as site:
        lookers = Lookers(site, given.clients, given.seconds)
        with site.serves() as served:
            ours = lookers.measure("product (gunicorn gevent)", served, given.clients, DRAWN)
        print(f"{'':<34}clients  memory      p50     p99      CPU  opening   storm", flush=True)
        print(ours, flush=True)
        if not given.alone:
            _alternatives(site, lookers, given.clients)
    print(f"\ntargets: {KB_LIMIT:.0f} KB a stream, p99 {P99_LIMIT_SECONDS * 1000:.0f} ms")
    is_whole = len(ours.late) == ours.expected and not ours.lost
    return 0 if is_whole and ours.kilobytes <= KB_LIMIT and ours.p99 <= P99_LIMIT_SECONDS else 1


def _alternatives(site: Site, lookers: "Lookers", clients: int) -> None:
    count = min(RIVAL_CLIENTS, clients)
    threads = ("--worker-class", "gthread", "--threads", str(count + 200))
    with site.serves("bench.live_rivals:app", *threads) as served:
        print(lookers.measure("a thread and a Redis client each", served, count), flush=True)
    with _floor(site) as served:
        print(lookers.measure("bare asyncio, no login", served, clients), flush=True)


class Lookers:
    """The clients, and the answers that some of them see being written."""

    def __init__(self, site: Site, count: int, seconds: float) -> None:
        self._seconds = seconds
        self._people = site.visitors(count)
        self._streams = Streams(site.environment()["REDIS_URL"])
        every = max(count // WRITTEN, 1)
        self._written = {
            person.conversation_id: _write(site, person) for person in self._people[::every]
        }

    def measure(self, what: str, served: Served, count: int, drawn: bytes = OPENED) -> Measured:
        """Open `count` streams, publish to those that are written, drop some and let them back."""
        people = self._people[:count]
        written = [one.conversation_id for one in people if one.conversation_id in self._written]
        for conversation in written:
            self._streams.append(conversation, self._written[conversation], 1, AttemptBegan())
        asked = [self._request(one, drawn) for one in people]
        crowd = Elsewhere()
        try:
            # What is made once for all comes first.
            crowd.do("open", served.port, asked[:50])
            crowd.do("leave")
            time.sleep(REST_SECONDS)
            before = served.resident_bytes()
            opened = crowd.do("open", served.port, asked)
            time.sleep(REST_SECONDS)
            kilobytes = (served.resident_bytes() - before) / count / 1024
            cpu = served.cpu_seconds()
            expected = self._publish_meanwhile(written)
            late, lost = crowd.do("hear", self._seconds + 1)
            cpu = served.cpu_seconds() - cpu
            storm = crowd.do("come_back", served.port, min(STORM, count))
        finally:
            crowd.close()
        share = 100 * cpu / (self._seconds + 1)
        return Measured(what, count, kilobytes, opened, late, len(expected), lost, share, storm)

    def _request(self, person: Visitor, drawn: bytes) -> tuple[bytes, bytes]:
        path = f"/chat/{person.conversation_id}/events"
        waits_for = drawn if person.conversation_id in self._written else OPENED
        return person.request(path, Accept="text/event-stream"), waits_for

    def _publish_meanwhile(self, written: Sequence[UUID]) -> range:
        """Publish in a thread of our own, evenly; return what will have been."""
        events = range(int(EVENTS_A_SECOND * self._seconds))
        began = time.monotonic() + 0.2

        length: Counter[UUID] = Counter()

        def _publish() -> None:
            for number in events:
                time.sleep(max(0, began + number / EVENTS_A_SECOND - time.monotonic()))
                conversation = written[number % len(written)]
                words = f"{time.monotonic_ns()} and so on. "
                job = self._written[conversation]
                self._streams.append(conversation, job, 1, TextAdded(length[conversation], words))
                length[conversation] += len(words)

        threading.Thread(target=_publish, daemon=True).start()
        return events


def _write(site: Site, person: Visitor) -> UUID:
    """Let a person have asked something that is being answered; return the job."""
    of: dict[str, Any] = {"user_id": person.id, "conversation_id": person.conversation_id}
    message, job = new_id(), new_id()
    site.insert(Message, [{"id": message, **of, "role": Role.USER, "text": "Hello?"}])
    running = {"status": JobStatus.RUNNING, "is_head": True, "attempt": 1, "model": "demo/demo"}
    times = {"started_at": utc_now(), "lease_until": utc_now() + timedelta(hours=1)}
    site.insert(Job, [{"id": job, **of, "message_id": message, **running, **times}])
    return job


@contextmanager
def _floor(site: Site) -> Generator[Served]:
    port = free_port()
    url = site.environment()["REDIS_URL"]
    command = [sys.executable, "-m", "bench.live_rivals", str(port), url]
    process = subprocess.Popen(command, cwd=PROJECT_DIR)
    try:
        ready = product.web({}, 0, port).is_ready
        while not ready():
            time.sleep(0.1)
        yield Served(port, process.pid)
    finally:
        process.terminate()
        process.wait()
