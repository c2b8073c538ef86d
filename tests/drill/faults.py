"""Breaking things, from outside: no part of the product knows that it is being drilled."""

import os
import signal
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from functools import partial
from typing import Any

import httpx2
import redis
import sqlalchemy as sa
from sqlalchemy.exc import SQLAlchemyError

from actions import wakeups
from tests.drill.plan import Fault, Kind
from tests.drill.stages import wait_until
from tests.drill.workers import Workers, kill, pid_of
from tests.house import House

STAGE_SECONDS = 10.0
HANG_SECONDS = 4.0
# A fault that finds nothing to break, as the last one is not over yet, looks again for so long.
FIND_SECONDS = 30.0
REPLAYS = 40
# What takes cells away waits for as many cells as there are workers, but no longer than this.
CELLS_SECONDS = 60.0
TAKE_CELLS = {
    *(Kind.WORKER, Kind.WORKER_ENDS, Kind.SCALE_IN, Kind.REDEPLOY),
    *(Kind.CELL, Kind.CELL_HANGS, Kind.LEASES_END),
}
CELLS_UP = """
    SELECT coalesce(sum(spare + hot + busy), 0) FROM workers
    WHERE stopped_at IS NULL AND seen_at > clock_timestamp() - interval '4 seconds'"""
WAKE_UPS = ("wakes:*", "dramatiq:answers*")
CELL = "openclaw-gateway"
AWAY = (redis.RedisError, SQLAlchemyError, httpx2.HTTPError, ProcessLookupError, LookupError)


class Breaker:
    """Carries out faults, one after the other, and counts what it did."""

    def __init__(self, house: House, workers: Workers) -> None:
        self.done: Counter[str] = Counter()
        # When each was done, by this machine's clock.
        self.moments: defaultdict[Kind, list[float]] = defaultdict(list)
        self.missed_stages = 0
        self._house = house
        self._workers = workers
        self._turns = 0
        self._acts: dict[Kind, Callable[[], object]] = {
            Kind.WEB: lambda: self._kill_child("web"),
            Kind.CELL: lambda: self._signal_cell(signal.SIGKILL),
            Kind.MESSAGING: lambda: self._kill_child("messaging"),
            Kind.VALKEY: lambda: self._kill_child("valkey"),
            Kind.POSTGRES: lambda: self._kill_child("postgres"),
            Kind.S3: lambda: self._kill_child("s3"),
            Kind.S3_HANGS: self._hang_s3,
            Kind.STRIPE: lambda: self._kill_child("stripe"),
            Kind.WEBHOOKS: self._lose_webhooks,
            Kind.CELL_HANGS: lambda: self._signal_cell(signal.SIGSTOP),
            Kind.FLUSH: lambda: self._redis().flushall(),
            Kind.WAKE_UPS_LOST: self._lose_wake_ups,
            Kind.WAKE_UPS_REPLAYED: self._replay_wake_ups,
            Kind.LEASES_END: self._end_leases,
            **{kind: partial(self._to_a_worker, act) for kind, act in workers.acts().items()},
        }

    def break_one(self, fault: Fault) -> None:
        """Wait for the fault's moment, and break."""
        if fault.kind in TAKE_CELLS:
            # Whoever breaks an empty pool tests nothing but how fast this machine boots cells.
            self._wait_for_cells()
        if not wait_until(self._house, fault.stage, STAGE_SECONDS):
            self.missed_stages += 1
        ends = time.monotonic() + FIND_SECONDS
        while not self._broke(fault.kind) and time.monotonic() < ends:
            time.sleep(0.2)

    def _broke(self, kind: Kind) -> bool:
        """Break it, or say that there was nothing: what is down already cannot break."""
        self._turns += 1
        try:
            self._acts[kind]()
        except AWAY:
            return False
        self.done[kind] += 1
        self.moments[kind].append(time.time())
        return True

    def _wait_for_cells(self) -> None:
        ends = time.monotonic() + CELLS_SECONDS
        while time.monotonic() < ends:
            with suppress(SQLAlchemyError), self._house.database() as db:
                if (db.scalar(sa.text(CELLS_UP)) or 0) >= len(self._workers):
                    return
            time.sleep(0.5)

    def _to_a_worker(self, act: Callable[[int], object]) -> None:
        act(self._turns)

    def _pid(self, name: str) -> int:
        return pid_of(self._house.stack, name)

    def _kill_child(self, name: str) -> None:
        kill(self._pid(name))

    def _signal_cell(self, number: signal.Signals) -> None:
        cells = self._house.processes([CELL])
        os.kill(cells[self._turns % len(cells)] if cells else self._pid("nothing"), number)

    def _hang_s3(self) -> None:
        pid = self._pid("s3")
        os.kill(pid, signal.SIGSTOP)
        time.sleep(HANG_SECONDS)
        os.kill(pid, signal.SIGCONT)

    def _lose_webhooks(self) -> None:
        self._switch_webhooks({"lose": True})
        time.sleep(HANG_SECONDS)
        self._switch_webhooks({"copies": 3, "reorder": True})

    def _switch_webhooks(self, switches: dict[str, object]) -> None:
        url = self._house.stack.environment()["STRIPE_API_BASE"]
        httpx2.put(f"{url}/_control/switches", json=switches, timeout=10)

    def _lose_wake_ups(self) -> None:
        store = self._redis()
        for key in (key for pattern in WAKE_UPS for key in store.scan_iter(pattern)):
            store.delete(key)

    def _replay_wake_ups(self) -> None:
        for _ in range(REPLAYS):
            wakeups.answer()

    def _end_leases(self) -> None:
        """Let the sweep take running jobs away from workers that are still at them."""
        with self._house.database() as db:
            past = "UPDATE jobs SET lease_until = clock_timestamp() - interval '1 second'"
            db.execute(sa.text(f"{past} WHERE status = 'running'"))
            db.commit()

    def _redis(self) -> Any:
        return self._house.redis()


class Storm:
    """Carries out all faults in a thread of its own."""

    def __init__(self, breaker: Breaker, faults: tuple[Fault, ...]) -> None:
        self._breaker, self._faults = breaker, faults
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._run, name="storm", daemon=True)

    @contextmanager
    def at_work(self) -> Generator[None]:
        """Break meanwhile; at the end the fault that is under way is finished."""
        self._thread.start()
        try:
            yield
        finally:
            self._is_over.set()
            self._thread.join()

    def is_on(self) -> bool:
        return self._thread.is_alive()

    def _run(self) -> None:
        for fault in self._faults:
            if self._is_over.wait(fault.after_seconds):
                return
            self._breaker.break_one(fault)
