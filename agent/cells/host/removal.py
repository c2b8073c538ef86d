"""What is left of cells, and its removal, whatever trees they have grown.

Nothing here follows a link or builds a path: a folder is opened by its name in the one above, its
files go, then the folders in it, so many levels down; what lies deeper is moved up to the top, to
be emptied later. So neither depth nor names nor numbers can break it. It is done in slices, between
which others get the disk and the processor.
"""

import itertools
import os
import threading
import time
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path

import structlog

log = structlog.get_logger()

SLICE_ENTRIES = 1000
# How deep it goes at a time; each level is an open folder.
MOST_LEVELS = 64
# The part of the time that removing may take.
SHARE = 0.5
# Where nothing can be removed, it is tried again after so long.
STUCK_SECONDS = 60.0
FOLDER = os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
OURS = 0o700


class Rubbish:
    """A folder that a thread keeps emptying. Only `take` ever raises, an OSError."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(mode=OURS)
        self._folder = folder
        self._root = os.open(folder, os.O_RDONLY | FOLDER)
        self._names = itertools.count()
        self._lock = threading.Lock()
        self._wake = threading.Event()
        self._is_closed = False
        # How many entries this slice may still remove.
        self._left = 0
        self._thread = threading.Thread(target=self._keep_empty, name="rubbish", daemon=True)
        self._thread.start()

    def take(self, folder: Path) -> None:
        """Move a folder of the same disk here, where nobody finds it; that takes no time."""
        folder.rename(self._folder / self._new_name())
        self._wake.set()

    def close(self, seconds: float) -> bool:
        """Remove for so long what there is, and then the folder; tell whether all is gone."""
        self._is_closed = True
        self._wake.set()
        self._thread.join()
        ends = time.monotonic() + seconds
        with suppress(OSError):
            while time.monotonic() < ends and self._remove_slice():
                """Until nothing is left that could go."""
        os.close(self._root)
        with suppress(OSError):
            self._folder.rmdir()
            return True
        return False

    def _keep_empty(self) -> None:
        while not self._is_closed:
            self._wake.clear()
            is_empty = False
            try:
                self._remove_all()
                is_empty = not self._some(1)
                if not (is_empty or self._is_closed or self._wake.is_set()):
                    log.error("rubbish.stuck", folder=str(self._folder))
            except Exception:
                # Without this thread a disk would fill up for the rest of the worker's life.
                log.exception("rubbish.stumbled")
            self._wake.wait(None if is_empty else STUCK_SECONDS)

    def _remove_all(self) -> None:
        while not self._is_closed:
            began = time.monotonic()
            if not self._remove_slice():
                return
            time.sleep((time.monotonic() - began) * (1 / SHARE - 1))

    def _remove_slice(self) -> int:
        """Remove or move up so many entries at most; return how many that were."""
        self._left = SLICE_ENTRIES
        for name in self._some(SLICE_ENTRIES):
            with suppress(OSError):
                self._empty(name, self._root, 1)
            if self._left <= 0:
                break
        return SLICE_ENTRIES - self._left

    def _some(self, most: int) -> list[str]:
        with os.scandir(self._root) as entries:
            return [entry.name for entry in itertools.islice(entries, most)]

    def _empty(self, name: str, parent: int, level: int) -> None:
        """Remove a folder with what is in it, as far as this slice goes."""
        with _opened(name, parent) as folder, os.scandir(folder) as entries:
            for entry in entries:
                if self._left <= 0:
                    return
                # What cannot go now may stand in the way of nothing else.
                with suppress(OSError):
                    self._remove(entry, folder, level)
        os.rmdir(name, dir_fd=parent)
        self._left -= 1

    def _remove(self, entry: os.DirEntry[str], folder: int, level: int) -> None:
        if not entry.is_dir(follow_symlinks=False):
            os.unlink(entry.name, dir_fd=folder)
            self._left -= 1
        elif level < MOST_LEVELS:
            self._empty(entry.name, folder, level + 1)
        else:
            self._move_up(entry.name, folder)
            self._left -= 1

    def _move_up(self, name: str, folder: int) -> None:
        # A folder that may not be written to may not be moved either.
        with _opened(name, folder):
            os.rename(name, self._new_name(), src_dir_fd=folder, dst_dir_fd=self._root)

    def _new_name(self) -> str:
        with self._lock:
            return str(next(self._names))


@contextmanager
def _opened(name: str, parent: int) -> Generator[int]:
    """Open a folder for emptying, whatever rights its owner has left it with. Raises OSError."""
    try:
        folder = os.open(name, os.O_RDONLY | FOLDER, dir_fd=parent)
    except PermissionError:
        handle = os.open(name, os.O_PATH | FOLDER, dir_fd=parent)
        try:
            Path(f"/proc/self/fd/{handle}").chmod(OURS)
            folder = os.open(".", os.O_RDONLY | FOLDER, dir_fd=handle)
        finally:
            os.close(handle)
    try:
        os.fchmod(folder, OURS)
        yield folder
    finally:
        os.close(folder)
