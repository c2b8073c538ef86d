"""Canaries inside of living cells: planted in /tmp, in processes and their environment, in files.

Both is done from outside, with a root's eyes: what a cell could reach is what is mounted and runs
in its namespaces. Nothing of anybody else may ever be there.
"""

import os
import subprocess
import threading
import time
from collections.abc import Generator, Iterable
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from tests.drill.attackers import FIRST_NUMBER
from tests.drill.secrets import owners
from tests.house import SETTINGS, House

GATEWAY = "openclaw-gateway"
LOOK_SECONDS = 8.0
# As long as a turn may take in this house.
TURN_SECONDS = float(SETTINGS["JOB_TIME_LIMIT_SECONDS"])
# Of what a cell keeps, the only file that tells whose it is.
MEMORY = "workspace/MEMORY.md"
# A file of a long conversation; what is larger was made by no drill.
MOST_BYTES = 64 * 1024 * 1024


@dataclass(frozen=True)
class Seen:
    """A cell by the process that is OpenClaw in it, and what that process sees as `/`."""

    pid: int
    root: Path

    @classmethod
    def of(cls, pid: int) -> "Seen":
        return cls(pid, Path(f"/proc/{pid}/root"))

    @property
    def is_jailed(self) -> bool:
        """Whether it shares its root with other cells, which has no processes in it."""
        return not (self.root / "cell").is_dir()

    @property
    def home(self) -> Path:
        return Path(f"/proc/{self.pid}/cwd") if self.is_jailed else self.root / "cell"

    @property
    def tmp(self) -> Path:
        return (self.home if self.is_jailed else self.root) / "tmp"

    def owner(self) -> int | None:
        """Whose it is, by the secret that their assistant keeps; None for a spare."""
        return next(iter(owners(_text(self.home / MEMORY))), None)

    def strangers(self, owner: int | None) -> list[str]:
        """List what can be reached in it and holds the words of anybody but its owner."""
        own = set[int]() if owner is None else {owner}
        found = {path: owners(_text(path)) - own for path in self._readable()}
        strange = set[int]().union(*found.values())
        if owner is None and len(strange) == 1 and min(strange) >= FIRST_NUMBER:
            # Attackers ask for nothing to be remembered by which their cell would be known.
            return []
        return [
            f"{path} of a cell of {owner}: {sorted(numbers)}"
            for path, numbers in found.items()
            if numbers
        ]

    def plant(self, canary: str) -> None:
        """Leave a file for what is passing, and a process with the canary in its name.

        Its environment has it too. In a jail no process can be looked for, and none is left.
        """
        status = _text(Path(f"/proc/{self.pid}/status"))
        uid = int(status.partition("Uid:")[2].split()[0])
        planted = self.tmp / canary
        planted.write_text(canary)
        os.chown(planted, uid, uid)
        if self.is_jailed:
            return
        # It ends with the cell. A shell that has something left to do does not become the sleep.
        program = ("/bin/sh", "-c", "sleep 600; :", canary)
        entering = ("nsenter", f"--target={self.pid}", "--mount", "--pid", "--ipc", "--net")
        subprocess.Popen(
            [*entering, f"--setuid={uid}", f"--setgid={uid}", *program],
            env={"CANARY": canary, "PATH": "/usr/bin:/bin"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )

    def _readable(self) -> Iterable[Path]:
        for process in (self.root / "proc").glob("[0-9]*"):
            yield process / "environ"
            yield process / "cmdline"
        for folder in {self.home, self.tmp}:
            for path in folder.rglob("*"):
                with suppress(OSError):
                    if path.is_file() and path.stat().st_size < MOST_BYTES:
                        yield path


class Inspector:
    """Plants in each cell that has become somebody's, and looks around in all, again and again."""

    def __init__(self, house: House, canaries: dict[int, str]) -> None:
        self.found: set[str] = set()
        self.planted = 0
        self.looks = 0
        self._house, self._canaries = house, canaries
        self._known: set[int] = set()
        # Since when.
        self._suspects: dict[int, float] = {}
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._run, name="inspector", daemon=True)

    @contextmanager
    def at_work(self) -> Generator[None]:
        """Inspect meanwhile, where the system lets one look into cells: as root."""
        if os.geteuid() == 0:
            self._thread.start()
        try:
            yield
        finally:
            self._is_over.set()
            if self._thread.is_alive():
                self._thread.join()

    def _run(self) -> None:
        while not self._is_over.wait(LOOK_SECONDS):
            for pid in self._house.processes([GATEWAY]):
                # It may end at any moment, as cells do here.
                with suppress(OSError, ValueError, IndexError):
                    self._inspect(Seen.of(pid))

    def _inspect(self, cell: Seen) -> None:
        owner = cell.owner()
        strange = cell.strangers(owner)
        self.looks += 1
        if owner is None:
            self._suspect(cell, strange)
        else:
            self.found.update(strange)
            self._plant_once(cell, owner)

    def _suspect(self, cell: Seen, strange: list[str]) -> None:
        """Suspect a spare with somebody's words: it is theirs once their first turn there is over.

        Until the assistant has noted the secret of that turn, nothing tells whose it is.
        """
        since = self._suspects.setdefault(cell.pid, time.monotonic()) if strange else None
        if since is not None and time.monotonic() - since > TURN_SECONDS:
            self.found.update(strange)

    def _plant_once(self, cell: Seen, owner: int) -> None:
        if cell.pid not in self._known:
            self._known.add(cell.pid)
            cell.plant(self._canaries[owner])
            self.planted += 1


def _text(path: Path) -> str:
    try:
        return path.read_text(errors="replace")
    except OSError:
        return ""
