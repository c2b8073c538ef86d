"""The workers of a drill: which there are, and how each is killed or asked to end."""

import os
import signal
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from embedded.stack import Stack
from tests.drill.plan import Kind


class Workers:
    """Workers that are processes of a stack, which starts each again that has ended."""

    def __init__(self, stack: Stack) -> None:
        self._stack = stack

    def __len__(self) -> int:
        return len(self.names())

    def names(self) -> list[str]:
        """List those that are to be running."""
        return self._stack.workers

    def acts(self) -> dict[Kind, Callable[[int], object]]:
        """Return what can be done to them, each by whose turn it is."""
        return {Kind.WORKER: self.kill, Kind.WORKER_ENDS: self.end}

    def kill(self, turn: int) -> None:
        """Kill one as an accident would. Raises LookupError when it is down."""
        kill(pid_of(self._stack, self._one(turn)))

    def end(self, turn: int) -> None:
        """Ask one to end. Raises LookupError when it is down."""
        os.kill(pid_of(self._stack, self._one(turn)), signal.SIGTERM)

    def _one(self, turn: int) -> str:
        names = self.names()
        return names[turn % len(names)]


def pid_of(stack: Stack, name: str) -> int:
    """Return the process of a program of the stack; raises LookupError when it is down."""
    pid = stack.supervisor.child(name).pid
    if pid is None:
        raise LookupError(name)
    return pid


def kill(pid: int) -> None:
    """Kill a program with its own forks; a worker's cells are left to notice by themselves."""
    forks = [child for child in _children(pid) if _command(child)[:1] == _command(pid)[:1]]
    for one in (*forks, pid):
        with suppress(ProcessLookupError):
            os.kill(one, signal.SIGKILL)


def _children(pid: int) -> list[int]:
    found: list[int] = []
    with suppress(OSError):
        for task in Path(f"/proc/{pid}/task").iterdir():
            found += [int(child) for child in (task / "children").read_text().split()]
    return found


def _command(pid: int) -> list[str]:
    with suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_text(errors="replace").split("\0")
    return []
