"""A worker process without OpenClaw: it claims, protects itself, drains and stops as any other.

    python -m tests.tasks.scaling.light_worker

Its turns sleep for as many seconds as their message says.
"""

import signal
import threading
import time
from collections.abc import Collection
from types import SimpleNamespace
from typing import Any
from uuid import UUID

from agent.cells.pool_stats import PoolStats
from gateways import logs
from models import database
from models.database import unit_of_work
from models.jobs import Claim, FinishedAnswer, LeaseLost
from models.schema.chat import Message
from settings import get_settings
from tasks.scheduler import over_at_a_signal
from tasks.worker import process
from tasks.worker.leased_jobs import LeasedJob
from tasks.worker.process import WorkerProcess


class LightRuntime:
    """As many cells as the settings say, all of them ready at once; none of them remembers."""

    def __init__(self, settings: Any, *_: object, **__: object) -> None:
        self._capacity = settings.cells_per_worker
        self._taken: Collection[UUID] = ()
        self.on_free: Any = None

    def start(self) -> None:
        """They are there."""

    def stop(self, grace_seconds: float) -> None:
        """They go."""

    def room(self, taken: Collection[UUID]) -> int:
        self._taken = taken
        return self._capacity - len(taken)

    def hot_users(self) -> list[UUID]:
        return []

    def owners(self) -> list[UUID]:
        return []

    def tell_queue(self, people: int, seconds: float) -> None:
        """Nobody boots anything."""

    def stats(self) -> PoolStats:
        busy = len(self._taken)
        spare = self._capacity - busy
        return PoolStats(
            booting=0, spare=spare, hot=0, busy=busy, capacity=self._capacity, sandbox="none"
        )


def begin(working: WorkerProcess, claim: Claim) -> None:
    """See a job through in a thread of its own."""
    held = LeasedJob.of(claim)
    working.held.add(held)
    threading.Thread(target=_turn, args=(working, held), daemon=True).start()


def _turn(working: WorkerProcess, held: LeasedJob) -> None:
    try:
        with unit_of_work() as db:
            asked = db.query(Message).filter_by(conversation_id=held.conversation_id).one()
            seconds = float(asked.text)
        until = time.monotonic() + seconds
        held.stop.wait(max(until - time.monotonic(), 0))
        answer = FinishedAnswer(held.job_id, held.user_id, held.attempt, "Done.", "")
        working.commit_loop.complete(answer)
    except LeaseLost:
        pass
    finally:
        working.held.remove(held)
        working.look_again()


def main() -> None:
    """Work until SIGTERM, then end what runs."""
    # No parsers of foreign bytes: there are none.
    process.lanes = SimpleNamespace(warm=lambda *_: None, end=lambda: None)  # pyright: ignore
    process.Runtime = LightRuntime  # pyright: ignore
    settings = get_settings()
    logs.configure(settings)
    database.connect(settings.database_url.get_secret_value(), pool_size=2)
    over = over_at_a_signal()
    working = WorkerProcess(settings, begin)
    working.start()
    over.wait()
    working.drain(settings.worker_drain_seconds)
    working.stop()


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    main()
