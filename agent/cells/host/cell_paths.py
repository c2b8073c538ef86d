"""What separates cells, and where one cell's files are."""

import os
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from untrusted.seccomp import CELLS, JAILED, program

# The cell's filter of system calls, in the folder that it may read.
CALLS = "calls.bpf"
# The uid that a cell sees itself under when a user namespace maps it.
MAPPED_UID = 1000


class Mode(StrEnum):
    """What separates cells from each other and from the worker."""

    ROOT = "namespaces, own uid"
    USER = "user namespace"
    JAIL = "own root, own uid, no network"
    UID = "own uid only"
    PROCESS = "nothing but the process"

    @property
    def has_namespaces(self) -> bool:
        return self in {Mode.ROOT, Mode.USER}

    @property
    def has_own_uid(self) -> bool:
        """Whether each cell runs under a uid that nothing else on the machine has."""
        return self in {Mode.ROOT, Mode.JAIL, Mode.UID}

    @property
    def separates(self) -> bool:
        """Whether cells of two people may live side by side."""
        return self in {Mode.ROOT, Mode.USER, Mode.JAIL}


@dataclass(frozen=True)
class CellPaths:
    """A cell's folder on this machine, and the uid that it runs under.

    state/ is the cell's to write; sockets/ holds what it may connect to; etc/ what it may read;
    listeners/ holds what only the worker may connect to, and is not in the cell. In a jail the cell
    may write to `locks` as well, which OpenClaw wants in /tmp.
    """

    folder: Path
    uid: int
    locks: Path | None = None

    @property
    def state(self) -> Path:
        return self.folder / "state"

    @property
    def sockets(self) -> Path:
        return self.folder / "sockets"

    @property
    def etc(self) -> Path:
        return self.folder / "etc"

    @property
    def listeners(self) -> Path:
        return self.folder / "listeners"

    @property
    def writable(self) -> tuple[Path, ...]:
        """The folders in which the cell may leave files that outlive its processes."""
        return (self.state,) if self.locks is None else (self.state, self.locks)

    def create(self, mode: Mode) -> None:
        """Make the folders, each with exactly the rights that `mode` needs."""
        self.folder.mkdir(mode=0o711)
        for folder in (self.sockets, self.etc):
            folder.mkdir(mode=0o711)
        for folder in (self.state, self.listeners):
            folder.mkdir(mode=0o700)
        (self.state / "tmp").mkdir(mode=0o700)
        if self.locks is not None:
            self.locks.mkdir(mode=0o700)
        for folder in (*self.writable, self.state / "tmp"):
            self.give(folder, mode)
        uid = MAPPED_UID if mode is Mode.USER else self.uid
        (self.etc / "passwd").write_text(f"cell:x:{uid}:{uid}::/cell/home:/usr/sbin/nologin\n")
        (self.etc / "hosts").write_text("127.0.0.1 localhost\n")
        (self.etc / CALLS).write_bytes(program(JAILED if mode is Mode.JAIL else CELLS))

    def give(self, path: Path, mode: Mode) -> None:
        """Make `path` the cell's own; only before any of its code has run."""
        if mode.has_own_uid:
            os.chown(path, self.uid, self.uid)
