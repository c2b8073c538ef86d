"""The Dramatiq broker: stock Redis, but a worker with nothing to do wakes at once.

A stock consumer that finds its queue empty sleeps for up to a second before it looks again, which
a person would feel on each message. Ours waits on a Redis list that every enqueue pushes to.
"""

from functools import lru_cache
from typing import Any, cast

import redis
from dramatiq import Message
from dramatiq.brokers.redis import (
    RedisBroker,
    _RedisConsumer,  # pyright: ignore[reportPrivateUsage]  # what consumer_class returns
)
from dramatiq.errors import ConnectionClosed
from dramatiq.middleware import AgeLimit, Callbacks, ShutdownNotifications, TimeLimit

from gateways import event_streams
from gateways.wake_queue import WakeQueue
from settings import get_settings

# A lost wake-up must not cost more than this: then the consumer looks again by itself.
LONGEST_WAIT_SECONDS = 1


class WakingBroker(RedisBroker):
    """A RedisBroker whose idle consumers wait to be woken instead of sleeping."""

    def __init__(self, url: str) -> None:
        # Wake-ups are not retried: the rows are the truth, and the clock sends them again.
        super().__init__(  # pyright: ignore[reportUnknownMemberType]
            # Dramatiq reads bytes.
            client=event_streams.connect(url, as_text=False),
            middleware=[AgeLimit(), TimeLimit(), ShutdownNotifications(), Callbacks()],
            maintenance_chance=100_000,
            heartbeat_timeout=30_000,
        )
        self._wake_queue = WakeQueue(url)

    @property
    def consumer_class(self) -> type["WakingConsumer"]:
        return WakingConsumer

    def enqueue(self, message: Message[Any], *, delay: int | None = None) -> Message[Any]:
        """Put a message on its queue and wake a waiting consumer."""
        queued = cast(
            Message[Any],
            super().enqueue(message, delay=delay),  # pyright: ignore[reportUnknownMemberType]
        )
        self._wake_queue.wake(queued.queue_name)
        return queued

    def wait_to_be_woken(self, queue_name: str) -> None:
        """Return when something was put on the queue, or after LONGEST_WAIT_SECONDS."""
        self._wake_queue.heard(queue_name, LONGEST_WAIT_SECONDS)


class WakingConsumer(_RedisConsumer):
    """Looks, and if there is nothing waits to be woken before it looks again."""

    def __next__(self) -> Any:
        # Keeps the base class's own sleep at its first, shortest step.
        self.misses = 0
        message = cast(Any, super().__next__())
        if message is None:
            try:
                cast(WakingBroker, self.broker).wait_to_be_woken(cast(str, self.queue_name))
            except redis.ConnectionError as error:
                raise ConnectionClosed(error) from None
        return message


@lru_cache(maxsize=1)
def get_broker() -> WakingBroker:
    """Make this process's broker; it connects when it is first used."""
    return WakingBroker(get_settings().redis_url.get_secret_value())
