"""Claims what came in and what goes out, and works on it in threads."""

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

import redis
import structlog

from actions import wakeups
from channels.base import Channel
from models.channels import deliveries, delivery_claims, updates
from models.channels.delivery_claims import ClaimedDelivery
from models.channels.updates import ClaimedUpdate
from models.database import OUTAGES, unit_of_work
from tasks.messaging import delivering, receiving
from tasks.messaging.parts import LEASE

log = structlog.get_logger()

# An answer that is being written keeps a thread until its end.
THREADS = 48
# Most of them wait for files; more would keep threads from answers.
RECEIVING_AT_ONCE = 16
# While answers are awaited, a worker that begins one is noticed this soon; else, should a wake-up
# be lost, after the longer time.
AWAITING_SECONDS = 0.1
IDLE_SECONDS = 2.0
REST_SECONDS = 0.03

Claimed = TypeVar("Claimed")


class MessagingProcess:
    """Works for these channels until it is stopped. Several such processes do no harm."""

    def __init__(self, channels: dict[str, Channel]) -> None:
        self._channels = channels
        self._pool = ThreadPoolExecutor(THREADS, thread_name_prefix="messaging")
        self._over = threading.Event()
        self._running: set[Future[None]] = set()
        self._receiving: set[Future[None]] = set()

    def run(self, over: threading.Event) -> None:
        """Work until `over` is set; what is under way then is given back."""
        while not over.is_set():
            try:
                is_awaiting = self.work()
            except OUTAGES as error:
                log.warning("messaging.missed", error=str(error))
                over.wait(IDLE_SECONDS)
                continue
            # In a burst each message wakes: looking as often would cost more than the messages.
            over.wait(REST_SECONDS)
            self._wait(AWAITING_SECONDS if is_awaiting else IDLE_SECONDS)
        self.stop()

    def work(self) -> bool:
        """Claim what can be done now and begin it; return whether anything is awaited."""
        names = list(self._channels)
        free = THREADS - len(self._running)
        room = min(free, RECEIVING_AT_ONCE - len(self._receiving))
        with unit_of_work() as db:
            come = updates.claim(db, names, receiving.LEASE, most=room)
            due = delivery_claims.claim(db, names, LEASE, most=free - len(come))
            is_awaiting = deliveries.has_waiting(db) or updates.has_waiting(db)
        for one in come:
            begun = self._begin(self._receive, one)
            self._receiving.add(begun)
            begun.add_done_callback(self._receiving.discard)
        for one in due:
            self._begin(self._deliver, one)
        return is_awaiting

    def stop(self) -> None:
        """Let what is under way end soon, and wait for it."""
        self._over.set()
        self._pool.shutdown(wait=True, cancel_futures=True)

    def _wait(self, seconds: float) -> None:
        began = time.monotonic()
        try:
            wakeups.wake_queue().heard(wakeups.MESSENGERS, seconds)
        except redis.RedisError as error:
            log.warning("messaging.unwoken", error=str(error))
            time.sleep(max(0.0, seconds - (time.monotonic() - began)))

    def _begin(self, work: Callable[[Claimed], None], claimed: Claimed) -> Future[None]:
        future = self._pool.submit(self._safely, work, claimed)
        self._running.add(future)
        future.add_done_callback(self._running.discard)
        return future

    def _safely(self, work: Callable[[Claimed], None], claimed: Claimed) -> None:
        try:
            work(claimed)
        except OUTAGES as error:
            # Its lease ends, and it is found again.
            log.warning("messaging.outage", error=str(error))
        except Exception:
            log.exception("messaging.failed")
        finally:
            # What comes next in its lane may have waited for it.
            wakeups.messengers()

    def _receive(self, claimed: ClaimedUpdate) -> None:
        receiving.handle(claimed, self._channels[claimed.channel])

    def _deliver(self, claimed: ClaimedDelivery) -> None:
        delivering.deliver(claimed, self._channels[claimed.channel], self._over.is_set)
