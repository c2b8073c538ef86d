"""How much a bot may send into one chat, and how long a pressed button waits for its answer."""

import math
import time
from dataclasses import dataclass

from embedded.fake_telegram.errors import too_many_requests


@dataclass(frozen=True)
class Limits:
    """Generous by default; Telegram's own are about one message a second, with short bursts."""

    # Messages and edits into one chat, over a long time; 0 is no limit.
    per_second: float = 2.0
    # As many may come at once after a rest.
    burst: int = 40
    # Who answers a press later than this is told that it is too old.
    press_seconds: float = 300.0


class Buckets:
    """What is left of each chat's limit: it fills while nothing is sent."""

    def __init__(self) -> None:
        self.limits = Limits()
        self._left: dict[int, tuple[float, float]] = {}

    def take(self, chat_id: int, count: int = 1) -> None:
        """Take from a chat's limit, or refuse with the seconds after which there will be enough."""
        limits = self.limits
        if limits.per_second <= 0:
            return
        now = time.monotonic()
        left, since = self._left.get(chat_id, (float(limits.burst), now))
        left = min(float(limits.burst), left + (now - since) * limits.per_second)
        self._left[chat_id] = (left, now)
        missing = min(count, limits.burst) - left
        if missing > 0:
            raise too_many_requests(max(1, math.ceil(missing / limits.per_second)))
        self._left[chat_id] = (left - count, now)

    def refill(self) -> None:
        self._left.clear()
