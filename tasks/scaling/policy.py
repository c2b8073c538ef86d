"""How many workers are wanted: a pure rule, the same in the product and in `bench scaling`.

More are wanted at once, and workers that are starting count as if they were there. Fewer are wanted
only after a while in which demand was lower all the time, and then a part of them at a time, so
that a lull between two waves keeps its workers.
"""

import math
from collections import deque
from dataclasses import dataclass, field

WHOLE = 100


@dataclass(frozen=True)
class Rule:
    """What bounds the number of workers, and how fast it follows demand."""

    fewest: int = 1
    most: int = 50
    # So much of the cells is meant to be at work.
    target_percent: int = 70
    # A worker takes about so long to its first cell: a wave that grows is met by that much.
    start_seconds: float = 45.0
    # Over so long its growth is measured.
    growth_seconds: float = 10.0
    # Demand was lower for so long before workers go; then so many of them at once, or one.
    calm_seconds: float = 120.0
    in_percent: int = 20
    # Between two such steps.
    step_seconds: float = 30.0


@dataclass(frozen=True)
class Reading:
    """What the rows said at a moment (seconds of a clock that never goes back)."""

    at: float
    # Users whose turn runs, or could be run if there were a cell.
    demand: int
    # Workers that take turns or are starting; not those on their way out.
    workers: int
    cells_per_worker: int


@dataclass
class Policy:
    """Says how many workers there should be; remembers what it saw for as long as it must."""

    rule: Rule
    _demands: deque[tuple[float, int]] = field(default_factory=deque[tuple[float, int]])
    _needs: deque[tuple[float, int]] = field(default_factory=deque[tuple[float, int]])
    _began_at: float = math.inf
    _shrunk_at: float = -math.inf

    def wanted(self, seen: Reading) -> int:
        """Return a number from the fewest to the most.

        Call it at each look: between two of them nothing is remembered.
        """
        self._began_at = min(self._began_at, seen.at)
        _keep(self._demands, (seen.at, seen.demand), self.rule.growth_seconds)
        needed = self._needed(seen)
        _keep(self._needs, (seen.at, needed), self.rule.calm_seconds)
        present = self._bounded(seen.workers)
        return needed if needed >= present else self._fewer(seen.at, present)

    def _needed(self, seen: Reading) -> int:
        cells = max(seen.cells_per_worker, 1)
        now = math.ceil(seen.demand * WHOLE / (cells * self.rule.target_percent))
        # What comes until a worker has started must only find a cell, not keep the target.
        soon = math.ceil((seen.demand + self._growth(seen)) / cells)
        return self._bounded(max(now, soon))

    def _growth(self, seen: Reading) -> float:
        """Return by how much demand will have grown before a worker that starts now is there."""
        target = seen.cells_per_worker * seen.workers * self.rule.target_percent / WHOLE
        (began, first), rise = self._demands[0], seen.demand - self._demands[0][1]
        # Numbers of arrivals differ by about their root; twice that is more than chance.
        if seen.demand < target or seen.at <= began or rise <= 2 * math.sqrt(first + 1):
            return 0.0
        return rise / (seen.at - began) * self.rule.start_seconds

    def _fewer(self, now: float, present: int) -> int:
        """Return by how many fewer workers are enough, or that all of them stay for now."""
        rule, most_needed = self.rule, max(needed for _, needed in self._needs)
        is_calm = now - self._began_at >= rule.calm_seconds
        if most_needed >= present or not is_calm or now - self._shrunk_at < rule.step_seconds:
            return present
        self._shrunk_at = now
        return max(present - max(1, present * rule.in_percent // WHOLE), most_needed)

    def _bounded(self, workers: int) -> int:
        return min(max(workers, self.rule.fewest), self.rule.most)


def _keep(seen: deque[tuple[float, int]], new: tuple[float, int], seconds: float) -> None:
    """Add what was seen, and forget what is older than that."""
    seen.append(new)
    while seen[0][0] < new[0] - seconds:
        seen.popleft()
