"""Who waits for a cell of this worker, and how urgent that is."""

import time
from dataclasses import dataclass

# Somebody in the queue may just be on their way to another worker that has room.
PATIENCE_SECONDS = 3.0
# After so long, those who have a cell and go on asking let others have a turn. A boot takes about
# as long: people who take turns more often would spend most of the processor on boots.
LONG_SECONDS = 20.0
# What was told about the queue is believed for so long.
FRESH_SECONDS = 3.0


@dataclass(frozen=True)
class _Queue:
    """People whom nobody has a cell for, since when the first waits, and when that was told."""

    people: int = 0
    since: float = 0.0
    told_at: float = float("-inf")


class Demand:
    """Counts `turns` that are on here without a cell, and knows who waits in the queue.

    `tell_queue` may be called from any thread.
    """

    def __init__(self) -> None:
        self.turns = 0
        self._queue = _Queue()

    def tell_queue(self, people: int, seconds: float) -> None:
        """Note for how many people in the queue cells should boot here, and the longest wait."""
        now = time.monotonic()
        self._queue = _Queue(people, now - seconds, now)

    @property
    def people(self) -> int:
        """How many cells are waited for here."""
        return self.turns + (self._queue.people if self._queue_seconds() >= PATIENCE_SECONDS else 0)

    @property
    def is_anybody(self) -> bool:
        return self.people > 0

    @property
    def is_long(self) -> bool:
        """Tell whether somebody has waited so long that those who have cells must yield one."""
        return self._queue_seconds() >= LONG_SECONDS

    def _queue_seconds(self) -> float:
        queue, now = self._queue, time.monotonic()
        is_known = queue.people > 0 and now - queue.told_at <= FRESH_SECONDS
        return now - queue.since if is_known else 0.0
