"""Plays a day second by second: who waits, which workers there are, and what they cost."""

import heapq
import itertools
import random
from collections import deque
from dataclasses import dataclass, field

from bench.scaling.policies import MOST, Seen, Way
from bench.scaling.traffic import Message, Traffic

# A worker is not as fast to start as another.
JITTER_SECONDS = 8.0
# So long after a worker has died its jobs are somebody else's.
LEASE_SECONDS = 30


@dataclass
class Worker:
    ready_at: float
    running: int = 0
    is_draining: bool = False


@dataclass
class Outcome:
    """What a day was like."""

    # Of each message: when it came and for how many seconds it waited for its first cell.
    waits: list[tuple[int, int]] = field(default_factory=list[tuple[int, int]])
    worker_seconds: int = 0
    most: int = 0
    # How often more were wanted soon after fewer were, or the other way round.
    turns: int = 0


class Simulation:
    """One day under one policy. Scaling in never ends a turn: it drains, as the product does."""

    def __init__(self, traffic: Traffic, way: Way, *, cells: int, start: float, seed: int) -> None:
        self._traffic, self._way, self._cells, self._start = traffic, way, cells, start
        self._chance = random.Random(seed)
        self._number = itertools.count()
        self._workers = [Worker(0)]
        self._queue: deque[tuple[Message, bool]] = deque()
        self._ends: list[tuple[float, int, Worker, Message]] = []
        self._orders: deque[tuple[int, int]] = deque()
        self._lost: list[tuple[float, int, Message]] = []
        self._changed = (0, 0)
        self.outcome = Outcome()

    def run(self) -> Outcome:
        """Play all of it, and on until everybody is answered."""
        coming, deaths = deque(self._traffic.messages), deque(self._traffic.deaths)
        last = self._traffic.messages[-1].at
        now = 0
        while now <= last or self._queue or self._ends:
            self._end(now)
            while coming and coming[0].at <= now:
                self._queue.append((coming.popleft(), True))
            while deaths and deaths[0] <= now:
                deaths.popleft()
                self._die(now)
            self._begin(now)
            if now % self._way.every == 0:
                self._look(now)
            while self._orders and self._orders[0][0] <= now:
                self._follow(now, self._orders.popleft()[1])
            self.outcome.worker_seconds += len(self._workers)
            self.outcome.most = max(self.outcome.most, len(self._workers))
            now += 1
        return self.outcome

    def _end(self, now: int) -> None:
        while self._ends and self._ends[0][0] <= now:
            heapq.heappop(self._ends)[2].running -= 1
        while self._lost and self._lost[0][0] <= now:
            # Back at the front: it has waited already.
            self._queue.appendleft((heapq.heappop(self._lost)[2], False))
        self._workers = [one for one in self._workers if not one.is_draining or one.running]

    def _begin(self, now: int) -> None:
        free = [
            one
            for one in self._workers
            if one.ready_at <= now and not one.is_draining and one.running < self._cells
        ]
        while self._queue and free:
            worker = self._chance.choice(free)
            message, is_first = self._queue.popleft()
            if is_first:
                self.outcome.waits.append((message.at, now - message.at))
            worker.running += 1
            heapq.heappush(self._ends, (now + message.seconds, next(self._number), worker, message))
            if worker.running == self._cells:
                free.remove(worker)

    def _look(self, now: int) -> None:
        active = [one for one in self._workers if not one.is_draining]
        ready = sum(one.ready_at <= now for one in active)
        running = sum(one.running for one in self._workers)
        waiting = len(self._queue)
        seen = Seen(now, waiting, running, ready, len(active) - ready, self._cells)
        wanted = self._way.look(seen)
        if wanted is not None:
            self._orders.append((now + self._way.delay, wanted))

    def _follow(self, now: int, wanted: int) -> None:
        active = [one for one in self._workers if not one.is_draining]
        # Whoever drains counts until it is gone.
        wanted = min(max(wanted, 1), MOST - len(self._workers) + len(active))
        difference = wanted - len(active)
        for _ in range(difference):
            self._workers.append(Worker(now + self._start + self._jitter()))
        leaving = sorted(active, key=lambda one: (one.ready_at <= now, one.running))
        for worker in leaving[: max(-difference, 0)]:
            worker.is_draining = True
        self._count_turn(now, difference)

    def _count_turn(self, now: int, difference: int) -> None:
        if not difference:
            return
        before_at, before = self._changed
        if difference * before < 0 and now - before_at < 60:
            self.outcome.turns += 1
        self._changed = (now, difference)

    def _die(self, now: int) -> None:
        """Lose a worker with all its turns; ECS starts another in its place at once."""
        victim = self._chance.choice(self._workers)
        held = [one for one in self._ends if one[2] is victim]
        self._ends = [one for one in self._ends if one[2] is not victim]
        heapq.heapify(self._ends)
        for _, number, _, message in held:
            heapq.heappush(self._lost, (now + LEASE_SECONDS, number, message))
        self._workers.remove(victim)
        if not victim.is_draining:
            self._workers.append(Worker(now + self._start + self._jitter()))

    def _jitter(self) -> float:
        return self._chance.uniform(-JITTER_SECONDS, JITTER_SECONDS)
