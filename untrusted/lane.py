"""A lane: helpers of one kind, kept ready, bounded in number, shared fairly.

A thread of the lane's own starts and buries them, so that whoever has a job never waits for more
than a helper that is free. One owner has at most half of them at once: the hostile input of one
person holds up no other's.
"""

import threading
import time
from collections import Counter
from collections.abc import Hashable, Mapping
from typing import Any

import structlog

from settings import Settings
from untrusted.helper import Failed, Helper, NotStarted, Patience, Result
from untrusted.kinds import Kind, LaneLimits
from untrusted.walls import Wall, walls

log = structlog.get_logger()

LOOK_SECONDS = 0.05
# So many more than are at work are kept ready, until they have been idle for so long.
SPARE = 1
IDLE_SECONDS = 60
PAUSE_SECONDS = (1.0, 30.0)
END_SECONDS = 5.0


class Lane:
    """The helpers of one lane in this process. Safe to use from any thread, and under gevent."""

    def __init__(self, limits: LaneLimits, settings: Settings, most: int) -> None:
        self._limits = limits
        self._most = most
        # The strongest first; from the first helper that comes up on only the one that it came by.
        self._walls = walls(settings)
        self._has_started = False
        self._changed = threading.Condition()
        self._idle: list[Helper] = []
        self._busy: Counter[Hashable] = Counter()
        self._dead: list[Helper] = []
        # In the order in which they came; each stands for the one who owns the job.
        self._waiting: dict[object, Hashable] = {}
        self._over = threading.Event()
        self._keeper: threading.Thread | None = None

    def warm(self) -> None:
        """See to it that a helper gets ready; returns at once."""
        with self._changed:
            if self._keeper is None and not self._over.is_set():
                self._keeper = threading.Thread(
                    target=self._keep, name=f"helpers-{self._limits.name}", daemon=True
                )
                self._keeper.start()

    def do(
        self,
        kind: Kind,
        note: Mapping[str, Any],
        body: bytes,
        *,
        owner: Hashable,
        patience: Patience,
    ) -> Result:
        """Have one job done, or raise Failed. Whoever fails, the next job has a sound helper."""
        if len(body) > kind.input_bytes:
            raise Failed("too_large")
        self.warm()
        helper = self._take(owner, patience)
        limit = Patience(min(kind.wall_seconds, patience.left_seconds), patience.stop)
        is_sound = False
        try:
            result = helper.do(kind, note, body, limit)
            is_sound = helper.jobs < self._limits.jobs
            return result
        finally:
            self._give_back(owner, helper, is_sound=is_sound)

    def end(self) -> None:
        """End all helpers that are idle now, and start no more."""
        with self._changed:
            self._over.set()
            while self._idle:
                self._retire(self._idle.pop())
            self._changed.notify_all()
        if self._keeper is not None:
            self._keeper.join(END_SECONDS)

    def pids(self) -> list[int]:
        """List the processes of the helpers that are idle."""
        with self._changed:
            return [helper.pid for helper in self._idle]

    def _take(self, owner: Hashable, patience: Patience) -> Helper:
        ticket = object()
        with self._changed:
            self._waiting[ticket] = owner
            self._changed.notify_all()
            try:
                while (helper := self._next_for(ticket)) is None:
                    if patience.left_seconds <= 0:
                        raise Failed("busy")
                    patience()
                    wait = patience.left_seconds
                    self._changed.wait(wait if patience.stop is None else min(wait, LOOK_SECONDS))
                self._busy[owner] += 1
                return helper
            finally:
                del self._waiting[ticket]
                self._changed.notify_all()

    def _next_for(self, ticket: object) -> Helper | None:
        """Take an idle helper, if this ticket's owner is the first who has not got their share."""
        share = max(1, self._most // 2)
        owners = self._waiting.items()
        if next((one for one, owner in owners if self._busy[owner] < share), None) is not ticket:
            return None
        while self._idle:
            helper = self._idle.pop()
            if helper.is_alive():
                return helper
            self._retire(helper)
        return None

    def _give_back(self, owner: Hashable, helper: Helper, *, is_sound: bool) -> None:
        with self._changed:
            self._busy[owner] -= 1
            if not self._busy[owner]:
                del self._busy[owner]
            if is_sound and not self._over.is_set():
                helper.idle_since = time.monotonic()
                self._idle.append(helper)
            else:
                self._retire(helper)
            self._changed.notify_all()

    def _retire(self, helper: Helper) -> None:
        helper.kill()
        self._dead.append(helper)

    # What follows runs in the lane's own thread, which lives as long as this process: the kernel
    # ends a helper with the thread that started it.

    def _keep(self) -> None:
        pause = PAUSE_SECONDS[0]
        while True:
            with self._changed:
                self._changed.wait_for(self._has_work, timeout=IDLE_SECONDS / 4)
                dead, self._dead = self._dead, []
                self._retire_the_idle()
                is_wanted = self._wants_more()
            for helper in dead:
                helper.bury()
            if self._over.is_set() and not self._dead:
                return
            if is_wanted and not self._start():
                self._over.wait(pause)
                pause = min(pause * 2, PAUSE_SECONDS[1])
            elif is_wanted:
                pause = PAUSE_SECONDS[0]

    def _has_work(self) -> bool:
        return bool(self._dead) or self._over.is_set() or self._wants_more()

    def _wants_more(self) -> bool:
        at_work = sum(self._busy.values())
        wanted = min(self._most, at_work + max(SPARE, len(self._waiting)))
        return not self._over.is_set() and at_work + len(self._idle) < wanted

    def _retire_the_idle(self) -> None:
        """End what has died meanwhile, and what nobody has needed for a while but the spare."""
        now = time.monotonic()
        for helper in list(self._idle):
            is_old = now - helper.idle_since > IDLE_SECONDS and len(self._idle) > SPARE
            if is_old or not helper.is_alive():
                self._idle.remove(helper)
                self._retire(helper)

    def _start(self) -> bool:
        for wall in list(self._walls):
            try:
                helper = Helper.start(wall, self._limits)
            except NotStarted as error:
                log.warning("helper.not_started", lane=self._limits.name, error=str(error))
                continue
            faults = wall.faults(helper.seen)
            if faults:
                log.warning("helper.not_walled", lane=self._limits.name, faults=faults)
                helper.kill()
                helper.bury()
                continue
            self._add(helper, wall)
            return True
        return False

    def _add(self, helper: Helper, wall: Wall) -> None:
        if not self._has_started:
            self._has_started = True
            self._walls = [wall]
            say = log.warning if wall.bwrap is None else log.info
            say("helpers.started", lane=self._limits.name, bwrap=str(wall.bwrap), **helper.seen)
        with self._changed:
            if self._over.is_set():
                self._retire(helper)
            else:
                self._idle.append(helper)
            self._changed.notify_all()
