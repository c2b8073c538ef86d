"""What workers that wait are woken by. A wake-up says nothing: the work is a row in PostgreSQL.

A queue is a Redis list. A wake-up goes to the worker that has waited at the queue for longest;
one that finds no worker is kept for a minute.
"""

from typing import cast

from gateways.event_streams import connect

# More wake-ups than workers wait at one queue say no more.
MAX_WAKES = 32
KEPT_SECONDS = 60
# KEYS: the queue. ARGV: its longest length, seconds to keep it.
WAKE = """
redis.call('LPUSH', KEYS[1], '1')
redis.call('LTRIM', KEYS[1], 0, ARGV[1] - 1)
redis.call('EXPIRE', KEYS[1], ARGV[2])
"""


class WakeQueue:
    """Wakes workers, and waits to be woken. Every method may raise redis.RedisError."""

    def __init__(self, redis_url: str) -> None:
        self._client = connect(redis_url)
        self._waiting = connect(redis_url, waits=True)
        self._wake = self._client.register_script(WAKE)

    def wake(self, queue: str) -> None:
        """Wake one worker that waits at the queue, or the next to come."""
        self._wake(keys=[_key(queue)], args=[MAX_WAKES, KEPT_SECONDS])

    def heard(self, queue: str, seconds: float) -> bool:
        """Wait at the queue for so long; return whether a wake-up came."""
        return cast(object, self._waiting.blpop([_key(queue)], timeout=seconds)) is not None


def _key(queue: str) -> str:
    return f"wakes:{queue}"
