"""The ways to choose the number of workers, each with what it is told, how often and how late."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from tasks.scaling.policy import Policy, Reading, Rule

MOST = 50


@dataclass(frozen=True)
class Seen:
    """What there is at a moment."""

    at: int
    waiting: int
    running: int
    ready: int
    starting: int
    cells: int

    @property
    def workers(self) -> int:
        return self.ready + self.starting

    @property
    def demand(self) -> int:
        return self.waiting + self.running


class Way(Protocol):
    """A way to scale. It looks every so often; what it says takes effect so much later."""

    name: str
    every: int
    delay: int

    def look(self, seen: Seen) -> int | None:
        """Return how many workers there should be, or None to leave it."""
        ...


class TargetTracking:
    """Application Auto Scaling's target tracking on a metric of one-minute averages.

    As AWS describes it: three minutes above the target add workers, fifteen below 90 % of it take
    some, each time in proportion. A minute passes until the average is there.
    """

    every, delay = 10, 60

    def __init__(self, name: str, target: float, *, counts_running: bool) -> None:
        self.name, self._target, self._counts_running = name, target, counts_running
        self._minute: list[float] = []
        self._above = self._below = 0

    def look(self, seen: Seen) -> int | None:
        # What AWS shows for queues is the backlog alone, by worker; ours is the part of all cells.
        ready = max(seen.ready, 1)
        metric = (
            seen.demand / (ready * seen.cells) if self._counts_running else seen.waiting / ready
        )
        self._minute.append(metric)
        if len(self._minute) < 60 // self.every:
            return None
        average = sum(self._minute) / len(self._minute)
        self._minute.clear()
        self._above = self._above + 1 if average > self._target else 0
        self._below = self._below + 1 if average < 0.9 * self._target else 0
        proportional = math.ceil(ready * average / self._target)
        if self._above >= 3:
            return max(proportional, seen.workers)
        if self._below >= 15:
            self._below = 0
            return min(proportional, seen.workers)
        return None


class StepScaling:
    """Its step scaling, on how many workers are missing, a metric of ours of ten seconds.

    A cooldown counts what was added already; alarms and metric take about as long as a period.
    """

    name = "step scaling, missing workers, 10 s"
    every, delay = 10, 12
    STEPS = (1, 2, 3, 5, 10, 20)
    COOL_SECONDS, CALM_SECONDS, IN_SECONDS = 30, 120, 60
    # So that it takes about as many hours as the loop; at other targets it waits no less for them.
    TARGET_PERCENT = 62

    def __init__(self) -> None:
        self._out_at = self._in_at = -math.inf
        self._added = 0
        self._below_since: int | None = None

    def look(self, seen: Seen) -> int | None:
        percent = seen.cells * self.TARGET_PERCENT / 100
        needed = math.ceil(seen.demand / percent)
        if needed > seen.workers:
            self._below_since = None
            return self._more(seen, needed - seen.workers)
        if needed == seen.workers:
            self._below_since = None
            return None
        return self._fewer(seen, needed)

    def _more(self, seen: Seen, missing: int) -> int | None:
        step = max(one for one in self.STEPS if one <= missing)
        is_cooling = seen.at - self._out_at < self.COOL_SECONDS
        new = step - self._added if is_cooling else step
        if new <= 0:
            return None
        self._out_at, self._added = seen.at, step
        return seen.workers + new

    def _fewer(self, seen: Seen, needed: int) -> int | None:
        if self._below_since is None:
            self._below_since = seen.at
        is_calm = seen.at - self._below_since >= self.CALM_SECONDS
        if not is_calm or seen.at - self._in_at < self.IN_SECONDS:
            return None
        self._in_at = seen.at
        return max(seen.workers - max(1, seen.workers // 5), needed)


class OwnLoop:
    """What the product does: the very rule of `tasks.scaling.policy`, from rows."""

    name = "own loop, 5 s"
    every, delay = 5, 2

    def __init__(self, rule: Rule) -> None:
        self._policy = Policy(rule)

    def look(self, seen: Seen) -> int | None:
        reading = Reading(float(seen.at), seen.demand, seen.workers, seen.cells)
        return self._policy.wanted(reading)


def ways(rule: Rule) -> Sequence[Way]:
    """Make each of them anew."""
    target = rule.target_percent / 100
    return (
        TargetTracking("target tracking, backlog of 1", 1.0, counts_running=False),
        TargetTracking("target tracking, our demand", target, counts_running=True),
        StepScaling(),
        OwnLoop(rule),
    )
