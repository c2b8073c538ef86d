"""Control groups: the kernel's own bound on a cell's memory, where this system lets us set one.

Version 1 and 2 alike, below the group that the worker itself is in. Where neither can be written to
(most managed containers) the pool watches the cells' memory and ends what grows too large.
"""

import os
import signal
import subprocess
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from secrets import token_hex
from typing import Self

import structlog

log = structlog.get_logger()

ROOT = Path("/sys/fs/cgroup")
PREFIX = "shellmate"
REMOVE_SECONDS = 2.0
REMOVE_RETRY_SECONDS = 0.01
# Moves the shell into the group, and then becomes the program.
JOIN = 'echo 0 > "$0" && exec "$@"'


@dataclass(frozen=True)
class Cgroup:
    """The control group of one cell."""

    folder: Path

    def joining(self) -> list[str]:
        """Return the words that, put before a command, run it inside of the group."""
        return ["/bin/sh", "-c", JOIN, str(self.folder / "cgroup.procs")]

    def was_too_small(self) -> bool:
        """Tell whether the kernel has ended something in it for want of memory."""
        for name in ("memory.events", "memory.oom_control"):
            with suppress(OSError):
                lines = (self.folder / name).read_text(encoding="ascii").splitlines()
                counted = dict(line.split() for line in lines)
                return int(counted.get("oom_kill", 0)) > 0
        return False

    def remove(self) -> None:
        """End what is still in it, and remove it, which may take REMOVE_SECONDS."""
        ends = time.monotonic() + REMOVE_SECONDS
        with suppress(OSError):
            while time.monotonic() < ends:
                self._kill()
                # Refused while the kernel still clears up what has ended.
                with suppress(OSError):
                    self.folder.rmdir()
                    return
                time.sleep(REMOVE_RETRY_SECONDS)
            log.warning("group.left", folder=str(self.folder))

    def _kill(self) -> None:
        for pid in (self.folder / "cgroup.procs").read_text(encoding="ascii").split():
            with suppress(OSError):
                os.kill(int(pid), signal.SIGKILL)


class Cgroups:
    """Makes the groups of one worker's cells."""

    def __init__(self, parent: Path) -> None:
        self._parent = parent

    @classmethod
    def find(cls) -> Self | None:
        """Return what makes groups on this system, tried out once; None where nothing does."""
        for parent in _candidates():
            groups = cls(parent)
            try:
                group = groups.make(64 * 1024 * 1024)
            except OSError:
                continue
            works = subprocess.run([*group.joining(), "/bin/true"], check=False, env={})
            group.remove()
            if works.returncode == 0:
                groups._sweep()
                return groups
        return None

    def make(self, limit_bytes: int) -> Cgroup:
        """Make a group whose processes together may have so much memory. Raises OSError."""
        folder = self._parent / f"{PREFIX}-{os.getpid()}-{token_hex(4)}"
        folder.mkdir()
        group = Cgroup(folder)
        try:
            if (folder / "memory.max").exists():
                (folder / "memory.max").write_text(str(limit_bytes))
                (folder / "memory.oom.group").write_text("1")
            else:
                (folder / "memory.limit_in_bytes").write_text(str(limit_bytes))
        except OSError:
            group.remove()
            raise
        return group

    def _sweep(self) -> None:
        """Remove the groups of workers that are gone, with what still runs in them."""
        for folder in self._parent.glob(f"{PREFIX}-*-*"):
            owner = folder.name.split("-")[1]
            if not Path("/proc", owner).exists():
                Cgroup(folder).remove()
                log.info("group.swept", folder=str(folder))


def _candidates() -> list[Path]:
    """List the groups that we are in and that may bound memory: version 2's, then version 1's."""
    found: list[Path] = []
    with suppress(OSError):
        for line in Path("/proc/self/cgroup").read_text(encoding="ascii").splitlines():
            _, controllers, path = line.split(":", 2)
            inside = path.lstrip("/")
            if not controllers and (ROOT / "cgroup.controllers").exists():
                _enable_memory(ROOT / inside)
                found.insert(0, ROOT / inside)
            elif "memory" in controllers.split(","):
                found.append(ROOT / "memory" / inside)
    return [folder for folder in found if folder.is_dir()]


def _enable_memory(folder: Path) -> None:
    # Refused, unless the group was given to us for this and holds no processes itself.
    with suppress(OSError):
        (folder / "cgroup.subtree_control").write_text("+memory")
