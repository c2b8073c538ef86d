"""Wakes a worker when a job may be waiting for it.

It waits at two queues. At its own a worker is told of the next message of a person whose live
files it has: it alone may take that at once. At the common queue it waits only while it has room,
so that a wake-up goes to a worker that can do something about it.
"""

import threading
from collections.abc import Callable
from functools import partial
from uuid import UUID

import redis
import structlog

from actions.wakeups import ALL_WORKERS, own_queue
from gateways.wake_queue import WakeQueue

log = structlog.get_logger()

# For so long it waits at a queue before it looks whether it is over.
WAIT_SECONDS = 1


class WakeListener:
    """Calls `wake`, from threads of its own, whenever a wake-up comes for this worker."""

    def __init__(
        self,
        wake_queue: WakeQueue,
        worker_id: UUID,
        has_room: Callable[[], bool],
        wake: Callable[[], object],
    ) -> None:
        self._wake_queue, self._has_room, self._wake = wake_queue, has_room, wake
        self._own_queue = own_queue(worker_id)
        self._may_have_room = threading.Event()
        self._over = threading.Event()
        self._threads = [
            self._thread("own-queue", self._at_own_queue),
            self._thread("common-queue", self._at_common_queue),
        ]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Listen no longer; it takes a second."""
        self._over.set()
        self._may_have_room.set()
        for thread in self._threads:
            thread.join(2 * WAIT_SECONDS)

    def look_for_room(self) -> None:
        """Say that there may be room again: the common queue is listened to at once."""
        self._may_have_room.set()

    def _thread(self, name: str, listen: Callable[[], None]) -> threading.Thread:
        target = partial(self._until_over, listen)
        return threading.Thread(target=target, name=name, daemon=True)

    def _until_over(self, listen: Callable[[], None]) -> None:
        while not self._over.is_set():
            try:
                listen()
            except redis.RedisError as error:
                # The commit loop looks by itself meanwhile.
                log.warning("wakeups.unheard", error=str(error))
                self._over.wait(WAIT_SECONDS)

    def _at_own_queue(self) -> None:
        if self._wake_queue.heard(self._own_queue, WAIT_SECONDS):
            self._wake()

    def _at_common_queue(self) -> None:
        self._may_have_room.clear()
        if not self._has_room():
            self._may_have_room.wait(WAIT_SECONDS)
        elif self._wake_queue.heard(ALL_WORKERS, WAIT_SECONDS):
            if self._has_room():
                self._wake()
            else:
                # It went while we waited: the next worker may have some.
                self._wake_queue.wake(ALL_WORKERS)
