"""The service: its tasks, which of them protect themselves, and how many there should be."""

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from uuid import uuid4

# ECS stops a task by force after the longest time that a task definition may name.
STOP_SECONDS = 120.0


@dataclass
class Task:
    """One process, and whether it may be stopped."""

    id: str
    release: str
    process: subprocess.Popen[bytes]
    started_at: float
    protected_until: float = 0.0
    stopped_at: float | None = None

    @property
    def is_protected(self) -> bool:
        return time.monotonic() < self.protected_until

    @property
    def is_over(self) -> bool:
        return self.process.poll() is not None


@dataclass
class Service:
    """Call `tick` every so often; everything else only says what is wanted."""

    command: Sequence[str]
    environment: Mapping[str, str]
    agent_uri_of: Callable[[str], str]
    desired: int = 0
    release: str = "1"
    # How long it takes until the process of a new task is started, as pulling an image does.
    start_seconds: float = 0.0
    tasks: dict[str, Task] = field(default_factory=dict[str, Task])
    # What has happened, for those who check it.
    most_at_once: int = 0
    started: int = 0
    died: int = 0
    task_seconds: float = 0.0
    _pending: list[tuple[float, str]] = field(default_factory=list[tuple[float, str]])
    _ticked_at: float = field(default_factory=time.monotonic)

    def tick(self) -> None:
        """Bury what has ended, start what is missing, stop what is too many and may be stopped."""
        now = time.monotonic()
        self.task_seconds += (now - self._ticked_at) * self.running
        self._ticked_at = now
        self._bury(now)
        self._start(now)
        self._stop(now)
        self.most_at_once = max(self.most_at_once, self.running)

    @property
    def running(self) -> int:
        """Tasks that were not told to stop, and those that are about to start."""
        return len(self._staying()) + len(self._pending)

    def protect(self, task_id: str, minutes: float) -> None:
        """Keep a task from being stopped for so long; none lets it be stopped. KeyError if gone."""
        self.tasks[task_id].protected_until = time.monotonic() + 60 * minutes if minutes else 0.0

    def kill(self, task_id: str) -> None:
        """Let a task die as a machine does; KeyError if it is gone."""
        self.tasks[task_id].process.kill()

    def close(self) -> None:
        """End all tasks."""
        self._pending.clear()
        for task in self.tasks.values():
            task.process.terminate()
        for task in self.tasks.values():
            with contextlib.suppress(subprocess.TimeoutExpired):
                task.process.wait(10)
            task.process.kill()

    def _staying(self) -> list[Task]:
        return [task for task in self.tasks.values() if task.stopped_at is None]

    def _bury(self, now: float) -> None:
        for task in [task for task in self.tasks.values() if task.is_over]:
            self.died += task.stopped_at is None
            del self.tasks[task.id]
        for task in self.tasks.values():
            if task.stopped_at is not None and now - task.stopped_at > STOP_SECONDS:
                task.process.kill()

    def _start(self, now: float) -> None:
        newest = [task for task in self._staying() if task.release == self.release]
        for _ in range(self.desired - len(newest) - len(self._pending)):
            self._pending.append((now + self.start_seconds, uuid4().hex))
        for at, task_id in list(self._pending):
            if at <= now:
                self._pending.remove((at, task_id))
                self._launch(task_id, now)

    def _launch(self, task_id: str, now: float) -> None:
        own = {"ECS_AGENT_URI": self.agent_uri_of(task_id), "RELEASE": self.release}
        process = subprocess.Popen(
            self.command, env={**self.environment, **own}, start_new_session=True
        )
        self.tasks[task_id] = Task(task_id, self.release, process, now)
        self.started += 1

    def _stop(self, now: float) -> None:
        staying = self._staying()
        old = [task for task in staying if task.release != self.release]
        new = [task for task in staying if task.release == self.release]
        # Those of before go once the new ones are there.
        excess = old if len(new) >= self.desired else []
        surplus = len(new) + len(self._pending) - self.desired
        while surplus > 0 and self._pending:
            self._pending.pop()
            surplus -= 1
        free = [task for task in new if not task.is_protected]
        for task in [*excess, *free[: max(surplus, 0)]]:
            if not task.is_protected:
                task.stopped_at = now
                with contextlib.suppress(ProcessLookupError):
                    os.kill(task.process.pid, signal.SIGTERM)
