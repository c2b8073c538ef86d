"""What room there is on the disk that the cells are on."""

import shutil
from pathlib import Path

import structlog

log = structlog.get_logger()

# With less than this a turn may not be able to write down what it did.
LEAST_FREE_BYTES = 32 * 1024 * 1024


class Disk:
    """The disk under one worker's folder. Safe to ask from any thread."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._is_full = False

    def has_room(self) -> bool:
        """Tell whether cells can boot and work; say so in the log when that changes."""
        was_full, free = self._is_full, shutil.disk_usage(self._folder).free
        self._is_full = free < LEAST_FREE_BYTES
        if self._is_full and not was_full:
            log.error("cells.disk_full", folder=str(self._folder), free_bytes=free)
        elif was_full and not self._is_full:
            log.info("cells.disk_has_room", folder=str(self._folder), free_bytes=free)
        return not self._is_full
