"""Wake-ups: each wakes the one worker that it is for, and one that has room."""

import threading
from collections.abc import Callable, Generator
from typing import Any

import pytest
import redis

from actions.wakeups import ALL_WORKERS, own_queue
from gateways.wake_queue import WakeQueue
from models.base import new_id
from tasks.worker.wake_listener import WakeListener

PATIENCE_SECONDS = 10


class Worker:
    """A worker's listener alone, and how often they woke it."""

    def __init__(self, url: str, room: Callable[[], bool]) -> None:
        self.id = new_id()
        self.is_listening = threading.Event()
        self._room = room
        self._wakes = threading.Semaphore(0)
        self.listener = WakeListener(WakeQueue(url), self.id, self._has_room, self._wakes.release)

    def is_woken(self, seconds: float = PATIENCE_SECONDS) -> bool:
        return self._wakes.acquire(timeout=seconds)

    def was_woken(self) -> bool:
        return self._wakes.acquire(blocking=False)

    def _has_room(self) -> bool:
        self.is_listening.set()
        return self._room()


Hire = Callable[[Callable[[], bool]], Worker]


@pytest.fixture
def hire(redis_url: str) -> Generator[Hire]:
    """Start a worker that has room whenever it is told so."""
    hired: list[Worker] = []

    def _hire(room: Callable[[], bool]) -> Worker:
        worker = Worker(redis_url, room)
        hired.append(worker)
        worker.listener.start()
        assert worker.is_listening.wait(PATIENCE_SECONDS)
        return worker

    yield _hire
    for worker in hired:
        worker.listener.stop()


@pytest.fixture
def wake_queue(redis_url: str) -> WakeQueue:
    return WakeQueue(redis_url)


def test_the_worker_with_the_live_files_is_woken_and_no_other(
    hire: Hire, wake_queue: WakeQueue
) -> None:
    others = hire(lambda: True)
    full = hire(lambda: False)

    for _ in range(5):
        wake_queue.wake(own_queue(full.id))
        assert full.is_woken()

    assert not others.was_woken()


def test_a_knock_for_all_wakes_one_that_has_room(hire: Hire, wake_queue: WakeQueue) -> None:
    full = hire(lambda: False)
    free = hire(lambda: True)

    for _ in range(5):
        wake_queue.wake(ALL_WORKERS)
        assert free.is_woken()

    assert not full.was_woken()


def test_one_knock_wakes_no_crowd(hire: Hire, wake_queue: WakeQueue) -> None:
    crowd = [hire(lambda: True) for _ in range(3)]

    wake_queue.wake(ALL_WORKERS)
    first = [worker.is_woken(0.5) for worker in crowd]
    for worker in crowd:
        wake_queue.wake(own_queue(worker.id))

    assert sum(first) == 1
    assert all(worker.is_woken() for worker in crowd)
    assert not any(worker.was_woken() for worker in crowd)


def test_what_was_knocked_while_nobody_had_room_is_heard_by_the_first_that_has(
    hire: Hire, wake_queue: WakeQueue
) -> None:
    has_room = threading.Event()
    worker = hire(has_room.is_set)
    wake_queue.wake(ALL_WORKERS)
    assert not worker.was_woken()

    has_room.set()
    worker.listener.look_for_room()

    assert worker.is_woken()


def test_who_has_lost_its_room_meanwhile_passes_the_knock_on(
    hire: Hire, wake_queue: WakeQueue
) -> None:
    answers = iter([True])
    # It goes to the queue, and is full when it is called.
    filled = hire(lambda: next(answers, False))

    wake_queue.wake(ALL_WORKERS)

    assert hire(lambda: True).is_woken()
    assert not filled.was_woken()


def test_after_the_store_was_away_wake_ups_are_heard_again(
    hire: Hire, wake_queue: WakeQueue, redis_url: str
) -> None:
    worker = hire(lambda: True)
    _cut_off_who_waits(redis_url)

    wake_queue.wake(own_queue(worker.id))

    assert worker.is_woken()


def _cut_off_who_waits(redis_url: str) -> None:
    store: Any = redis.Redis.from_url(redis_url)  # pyright: ignore[reportUnknownMemberType]
    database = redis_url.rsplit("/", 1)[1]
    cut = 0
    while cut < 2:
        for client in store.client_list():
            # Other tests have databases of their own on the same server.
            if client["db"] == database and client["cmd"] == "blpop":
                cut += store.client_kill_filter(_id=client["id"])
    store.close()
