"""Knocks: what those who wait for work wake up by. A knock says nothing; the work is elsewhere.

A door is a Redis list. Of those who wait at one door one is woken by a knock, whoever has waited
there longest; a knock that finds nobody is kept for a minute.
"""

from typing import cast

from gateways.event_streams import connect

# More knocks than anybody waits at one door say no more.
MAX_WAKES = 32
KEPT_SECONDS = 60
# KEYS: the door. ARGV: its longest length, seconds to keep it.
WAKE = """
redis.call('LPUSH', KEYS[1], '1')
redis.call('LTRIM', KEYS[1], 0, ARGV[1] - 1)
redis.call('EXPIRE', KEYS[1], ARGV[2])
"""


class WakeQueue:
    """Knocks and waits at doors. Every method may raise redis.RedisError."""

    def __init__(self, redis_url: str) -> None:
        self._client = connect(redis_url)
        self._waiting = connect(redis_url, waits=True)
        self._knock = self._client.register_script(WAKE)

    def wake(self, door: str) -> None:
        """Wake one of those who wait at the door, or the next to come."""
        self._knock(keys=[_key(door)], args=[MAX_WAKES, KEPT_SECONDS])

    def heard(self, door: str, seconds: int) -> bool:
        """Wait at the door for so long; tell whether somebody knocked."""
        return cast(object, self._waiting.blpop([_key(door)], timeout=seconds)) is not None


def _key(door: str) -> str:
    return f"knocks:{door}"
