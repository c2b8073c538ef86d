"""Tells the workers that somebody has opened the chat, and will probably write."""

from collections import OrderedDict
from functools import lru_cache
from time import monotonic
from uuid import UUID

from tasks import nudges

# Who goes from page to page is told of once in this time.
SECONDS = 60.0
# More people than open pages in a minute; beyond it the longest known are forgotten.
MOST_KNOWN = 10_000


class Openings:
    """Remembers, in this process, who was told of lately."""

    def __init__(self) -> None:
        self._told: OrderedDict[UUID, float] = OrderedDict()

    def note(self, user_id: UUID) -> None:
        """Tell of somebody, unless that was done a moment ago."""
        now = monotonic()
        if now - self._told.get(user_id, -SECONDS) < SECONDS:
            return
        self._told[user_id] = now
        self._told.move_to_end(user_id)
        if len(self._told) > MOST_KNOWN:
            self._told.popitem(last=False)
        nudges.warm(user_id)


@lru_cache(maxsize=1)
def openings() -> Openings:
    """The openings of this process."""
    return Openings()
