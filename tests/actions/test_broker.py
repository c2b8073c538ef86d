# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
"""The broker that wakes: messages arrive at once, and nothing depends on the wake-up."""

import threading
from collections.abc import Generator

import dramatiq
import pytest
from dramatiq import Worker

from actions.broker import WakingBroker


@pytest.fixture
def broker(redis_url: str) -> WakingBroker:
    return WakingBroker(redis_url)


class Heard:
    """The numbers a worker was told, and a way to wait for them."""

    def __init__(self) -> None:
        self.numbers: list[int] = []
        self.arrived = threading.Condition()

    def hear(self, number: int) -> None:
        with self.arrived:
            self.numbers.append(number)
            self.arrived.notify_all()

    def wait_for(self, count: int) -> list[int]:
        with self.arrived:
            assert self.arrived.wait_for(lambda: len(self.numbers) >= count, timeout=10)
        return sorted(self.numbers)


@pytest.fixture
def heard(broker: WakingBroker) -> Generator[Heard]:
    """What a real worker of two threads has been told so far."""
    heard = Heard()

    def _hear(number: int) -> None:
        heard.hear(number)

    dramatiq.actor(broker=broker, actor_name="hear", queue_name="words")(_hear)
    worker = Worker(broker, worker_threads=2, worker_timeout=100)
    worker.start()
    yield heard
    worker.stop()


def test_every_message_reaches_the_worker_once(broker: WakingBroker, heard: Heard) -> None:
    hear = broker.get_actor("hear")
    for number in range(50):
        hear.send(number)
    assert heard.wait_for(50) == list(range(50))


def test_a_lost_knock_costs_only_a_wait(broker: WakingBroker, heard: Heard) -> None:
    message = broker.get_actor("hear").message(7)
    # As if the sender had died between the message and the wake-up.
    super(WakingBroker, broker).enqueue(message)
    assert heard.wait_for(1) == [7]


def test_after_the_store_was_emptied_messages_flow_again(
    broker: WakingBroker, heard: Heard
) -> None:
    broker.client.flushdb()
    broker.get_actor("hear").send(1)
    assert heard.wait_for(1) == [1]
