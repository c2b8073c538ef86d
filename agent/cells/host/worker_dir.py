"""The folder that a worker builds its cells in, under `cells_dir`, and spare uids."""

import fcntl
import os
import secrets
import socket
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import IO

import structlog

from agent.cells.host.cell_paths import CellPaths, Mode
from agent.cells.host.disk import Disk
from agent.cells.host.jail import IN_CELLS_DIR, SHARED, jail_of
from agent.cells.host.process import kill_all_of
from agent.cells.host.removal import Rubbish
from settings import Settings

log = structlog.get_logger()

LOCK = "lock"
GONE = "gone"
# How long a worker that ends still removes files; the next one goes on with what is left.
CLOSE_SECONDS = 10.0
# What stands beside the workers' folders and outlives them.
NOT_WORKERS = (SHARED, IN_CELLS_DIR)
# A folder without a lock is not just being made any more.
MAKING_SECONDS = 600
# How many uids from `cell_uid_base` on are tried before we say that none is free.
UIDS = 1000


class WorkerDir:
    """One worker's folder, locked for as long as the worker lives."""

    def __init__(self, settings: Settings, mode: Mode) -> None:
        self._uid_base = settings.cell_uid_base
        self._mode = mode
        self._claims: dict[Path, socket.socket] = {}
        self._made = 0
        self._jail = jail_of(settings) if mode is Mode.JAIL else None
        _own(settings.cells_dir)
        cells_dir = self._jail.cells if self._jail else settings.cells_dir
        _own(cells_dir)
        self.folder, self._lock = _new_folder(cells_dir)
        self._rubbish = Rubbish(self.folder / GONE)
        self._sweep(cells_dir)
        self.disk = Disk(self.folder)

    def new_place(self) -> CellPaths:
        """Make the folders of a new cell, under a uid that no other live cell here has."""
        self._made += 1
        # In a jail others could reach the folder by its name, if they knew it, and find it closed.
        folder = self.folder / (secrets.token_hex(8) if self._jail else str(self._made))
        uid = os.getuid()
        if self._mode.has_own_uid:
            uid, self._claims[folder] = self._claim_uid()
        place = CellPaths(folder, uid, self._jail.locks(uid) if self._jail else None)
        if place.locks is not None and place.locks.exists():
            # A worker that died left it; its uid is ours now.
            self._put_away(place.locks)
        place.create(self._mode)
        return place

    def clear(self, place: CellPaths) -> None:
        """Put a cell's folders away and free its uid. Its processes must be gone. Never raises.

        They are removed in the background.
        """
        self._put_away(place.folder)
        if place.locks is not None:
            self._put_away(place.locks)
        claim = self._claims.pop(place.folder, None)
        if claim:
            claim.close()

    def close(self) -> None:
        """Remove everything; the worker has no cells any more."""
        for folder in self.folder.iterdir():
            if folder.name not in {LOCK, GONE}:
                self._put_away(folder)
        if self._rubbish.close(CLOSE_SECONDS):
            with suppress(OSError):
                (self.folder / LOCK).unlink()
                self.folder.rmdir()
        self._lock.close()

    def _put_away(self, folder: Path) -> None:
        try:
            self._rubbish.take(folder)
        except OSError as error:
            # It takes room until a worker starts; nobody can look into it.
            log.error("cells.not_cleared", folder=str(folder), error=error.strerror)

    def _claim_uid(self) -> tuple[int, socket.socket]:
        """Take the first uid that nobody holds. The system frees a name when its holder dies."""
        for uid in range(self._uid_base, self._uid_base + UIDS):
            if claim := _claim(uid):
                return uid, claim
        raise OSError(f"All {UIDS} uids from {self._uid_base} on are in use by cells.")

    def _sweep(self, cells_dir: Path) -> None:
        """Put away what dead workers left: their cells' folders, and what may still run of them.

        Whatever it is, this worker starts.
        """
        for folder in cells_dir.iterdir():
            if folder == self.folder or folder.name in NOT_WORKERS:
                continue
            try:
                self._sweep_one(folder)
            except OSError:
                # Another worker's, alive; or one that is just being made.
                continue
            except Exception:
                log.exception("cells.not_swept", folder=str(folder))

    def _sweep_one(self, folder: Path) -> None:
        if not (folder / LOCK).exists() and time.time() - folder.stat().st_mtime < MAKING_SECONDS:
            return
        with (folder / LOCK).open("ab") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            self._end_cells_of(folder)
            self._rubbish.take(folder)
        log.info("cells.swept", folder=str(folder))

    def _end_cells_of(self, folder: Path) -> None:
        """End what is left of a dead worker's cells. All but hung ones ended with their stdin."""
        if not self._mode.has_own_uid:
            return
        for state in folder.glob("*/state"):
            uid = state.stat().st_uid
            # A uid that is claimed is a living cell's by now.
            if uid >= self._uid_base and (claim := _claim(uid)):
                kill_all_of(uid)
                claim.close()


def _claim(uid: int) -> socket.socket | None:
    claim = socket.socket(socket.AF_UNIX)
    try:
        claim.bind(f"\0shellmate-uid-{uid}")
    except OSError:
        claim.close()
        return None
    return claim


def _own(folder: Path) -> None:
    """Make `folder`, or refuse one that somebody else put there to read our cells."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o711)
    found = folder.lstat()
    if folder.is_symlink() or found.st_uid != os.geteuid() or found.st_mode & 0o022:
        raise PermissionError(f"{folder} must be a folder that only this user can write to.")


def _new_folder(cells_dir: Path) -> tuple[Path, IO[bytes]]:
    folder = Path(tempfile.mkdtemp(prefix="w", dir=cells_dir))
    lock = (folder / LOCK).open("wb")
    fcntl.flock(lock, fcntl.LOCK_EX)
    # A cell passes through when the uid is all that separates; nobody can list.
    folder.chmod(0o711)
    return folder, lock
