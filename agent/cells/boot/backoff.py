"""The pauses between boots that fail, so that a worker does not spend itself on them."""

import time

FIRST_SECONDS, LONGEST_SECONDS = 2.0, 60.0
# As long as somebody waits for the boot.
LONGEST_HURRIED_SECONDS = 4.0


class Backoff:
    """After each boot that failed the next one waits twice as long."""

    def __init__(self) -> None:
        self._failures = 0
        self._failed_at = 0.0

    def failed(self) -> None:
        self._failures += 1
        self._failed_at = time.monotonic()

    def worked(self) -> None:
        self._failures = 0

    def seconds(self, *, is_hurried: bool) -> float:
        """Return how long the pause after the last failure is; 0 when there was none."""
        longest = LONGEST_HURRIED_SECONDS if is_hurried else LONGEST_SECONDS
        return min(longest, FIRST_SECONDS * 2 ** (self._failures - 1)) if self._failures else 0.0

    def are_over(self, *, is_hurried: bool) -> bool:
        """Tell whether the next boot may begin."""
        return time.monotonic() >= self._failed_at + self.seconds(is_hurried=is_hurried)
