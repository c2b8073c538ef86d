"""When the next cell may boot, and how many boot at once."""

import asyncio
import os
import time
from collections.abc import Coroutine
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from agent.cells.boot.backoff import Backoff
from agent.cells.io.answer import cancelled

# A boot keeps one busy; the other is for those who are being answered.
PROCESSORS_EACH = 2
# Control groups of version 2, and of version 1: so many microseconds in each period.
QUOTA = Path("/sys/fs/cgroup/cpu.max")
QUOTA_V1 = Path("/sys/fs/cgroup/cpu/cpu.cfs_quota_us")
PERIOD_V1 = Path("/sys/fs/cgroup/cpu/cpu.cfs_period_us")


@dataclass(frozen=True)
class BootCounts:
    """How the boots of this worker went since it started."""

    worked: int = 0
    failed: int = 0
    # How long the last one took that worked.
    last_ms: int | None = None


class BootScheduler:
    """The boots that are on. One at a time, or `at_once` while somebody waits."""

    def __init__(self, at_once: int) -> None:
        self._at_once = at_once
        self._on: set[asyncio.Task[None]] = set()
        self._pauses = Backoff()
        self._not_before = 0.0
        self._counts = BootCounts()

    @property
    def counts(self) -> BootCounts:
        return self._counts

    def __len__(self) -> int:
        return len(self._on)

    def may_begin(self, *, is_hurried: bool) -> bool:
        """Tell whether another may begin now; `is_hurried`: somebody waits for it."""
        if len(self._on) >= (self._at_once if is_hurried else 1):
            return False
        is_early = time.monotonic() < self._not_before and not is_hurried
        return not is_early and self._pauses.are_over(is_hurried=is_hurried)

    def begin(self, boot: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(boot)
        self._on.add(task)
        task.add_done_callback(self._on.discard)

    def hold_off(self, seconds: float) -> None:
        """Let none begin for a while, unless somebody waits."""
        self._not_before = max(self._not_before, time.monotonic() + seconds)

    def worked(self, seconds: float) -> None:
        """Note a boot that worked, and how long it took."""
        self._pauses.worked()
        so_far = self._counts
        self._counts = replace(so_far, worked=so_far.worked + 1, last_ms=round(1000 * seconds))

    def failed(self, *, is_hurried: bool) -> float:
        """Note a boot that failed; return the seconds until the next."""
        self._pauses.failed()
        self._counts = replace(self._counts, failed=self._counts.failed + 1)
        return self._pauses.seconds(is_hurried=is_hurried)

    async def end(self) -> None:
        """End all that are on."""
        for task in list(self._on):
            await cancelled(task)


def at_once() -> int:
    """Return how many may boot at once while somebody waits: as the processors allow."""
    processors = min(float(len(os.sched_getaffinity(0))), _quota())
    return max(1, int(processors // PROCESSORS_EACH))


def _quota() -> float:
    """Return how many processors the container may use."""
    try:
        if QUOTA.exists():
            quota, period = QUOTA.read_text().split()
        else:
            quota, period = QUOTA_V1.read_text(), PERIOD_V1.read_text()
        return int(quota) / int(period) if int(quota) > 0 else float("inf")
    except (OSError, ValueError):
        # There is none, or it says "max".
        return float("inf")
