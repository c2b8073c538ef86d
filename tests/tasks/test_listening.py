"""A worker's ears: a knock wakes the one worker that it is for, and one that has room."""

import threading
from collections.abc import Callable, Generator
from typing import Any

import pytest
import redis

from gateways.knocks import Knocks
from models.base import new_id
from tasks.listening import Ears
from tasks.nudges import ALL_WORKERS, own_door

PATIENCE_SECONDS = 10


class Worker:
    """A worker's ears alone, and how often they woke it."""

    def __init__(self, url: str, room: Callable[[], bool]) -> None:
        self.id = new_id()
        self.is_listening = threading.Event()
        self._room = room
        self._wakes = threading.Semaphore(0)
        self.ears = Ears(Knocks(url), self.id, self._has_room, self._wakes.release)

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
        worker.ears.start()
        assert worker.is_listening.wait(PATIENCE_SECONDS)
        return worker

    yield _hire
    for worker in hired:
        worker.ears.stop()


@pytest.fixture
def knocks(redis_url: str) -> Knocks:
    return Knocks(redis_url)


def test_the_worker_with_the_live_files_is_woken_and_no_other(hire: Hire, knocks: Knocks) -> None:
    others = hire(lambda: True)
    full = hire(lambda: False)

    for _ in range(5):
        knocks.at(own_door(full.id))
        assert full.is_woken()

    assert not others.was_woken()


def test_a_knock_for_all_wakes_one_that_has_room(hire: Hire, knocks: Knocks) -> None:
    full = hire(lambda: False)
    free = hire(lambda: True)

    for _ in range(5):
        knocks.at(ALL_WORKERS)
        assert free.is_woken()

    assert not full.was_woken()


def test_one_knock_wakes_no_crowd(hire: Hire, knocks: Knocks) -> None:
    crowd = [hire(lambda: True) for _ in range(3)]

    knocks.at(ALL_WORKERS)
    first = [worker.is_woken(0.5) for worker in crowd]
    for worker in crowd:
        knocks.at(own_door(worker.id))

    assert sum(first) == 1
    assert all(worker.is_woken() for worker in crowd)
    assert not any(worker.was_woken() for worker in crowd)


def test_what_was_knocked_while_nobody_had_room_is_heard_by_the_first_that_has(
    hire: Hire, knocks: Knocks
) -> None:
    has_room = threading.Event()
    worker = hire(has_room.is_set)
    knocks.at(ALL_WORKERS)
    assert not worker.was_woken()

    has_room.set()
    worker.ears.look_for_room()

    assert worker.is_woken()


def test_who_has_lost_its_room_meanwhile_passes_the_knock_on(hire: Hire, knocks: Knocks) -> None:
    answers = iter([True])
    # It goes to the door, and is full when it is called.
    filled = hire(lambda: next(answers, False))

    knocks.at(ALL_WORKERS)

    assert hire(lambda: True).is_woken()
    assert not filled.was_woken()


def test_after_the_store_was_away_knocks_are_heard_again(
    hire: Hire, knocks: Knocks, redis_url: str
) -> None:
    worker = hire(lambda: True)
    _cut_off_who_waits(redis_url)

    knocks.at(own_door(worker.id))

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
