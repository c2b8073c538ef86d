"""Who waits for a cell of this worker, and how urgent that is."""

import time

# Somebody in the queue may just be on their way to another worker that has room.
PATIENCE_SECONDS = 3.0
# After so long, those who have a cell and go on asking let others have a turn. A boot takes about
# as long: people who take turns more often would spend most of the processor on boots.
LONG_SECONDS = 20.0
# What was told about the queue is believed for so long.
FRESH_SECONDS = 3.0


class Waiting:
    """Counts `turns` that are on here without a cell, and knows how long the queue has waited.

    `tell_queue` may be called from any thread.
    """

    def __init__(self) -> None:
        self.turns = 0
        # Since when the first in the queue has waited, and when that was told.
        self._queue = (float("inf"), float("-inf"))

    def tell_queue(self, seconds: float) -> None:
        """Note that somebody whom nobody has a cell for has been in the queue for `seconds`."""
        now = time.monotonic()
        self._queue = (now - seconds, now)

    @property
    def is_anybody(self) -> bool:
        return self.turns > 0 or self._queue_seconds() >= PATIENCE_SECONDS

    @property
    def is_long(self) -> bool:
        """Tell whether somebody has waited so long that those who have cells must yield one."""
        return self._queue_seconds() >= LONG_SECONDS

    def _queue_seconds(self) -> float:
        since, told_at = self._queue
        now = time.monotonic()
        return now - since if now - told_at <= FRESH_SECONDS else 0.0
