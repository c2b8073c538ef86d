"""Tells the workers that somebody has opened the chat, and will probably write."""

from functools import lru_cache
from uuid import UUID

from cachetools import TTLCache

from actions import wakeups

# Who goes from page to page is told of once in this time.
SECONDS = 60.0
# More people than open pages in a minute; beyond it the longest known are forgotten.
MOST_KNOWN = 10_000


class PrewarmDebouncer:
    """Remembers, in this process, who was told of lately."""

    def __init__(self, seconds: float = SECONDS, most_known: int = MOST_KNOWN) -> None:
        self._told = TTLCache[UUID, bool](most_known, seconds)

    def note(self, user_id: UUID) -> None:
        """Tell of somebody, unless that was done a moment ago."""
        if user_id in self._told:
            return
        self._told[user_id] = True
        wakeups.warm(user_id)


@lru_cache(maxsize=1)
def prewarm_debouncer() -> PrewarmDebouncer:
    """The openings of this process."""
    return PrewarmDebouncer()
