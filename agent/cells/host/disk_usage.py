"""What a cell has on the disk, counted from outside and no further than it matters."""

import os
from dataclasses import dataclass
from pathlib import Path

# As deep as what is saved of it may be; each level is a descriptor here.
MOST_LEVELS = 64
BLOCK_BYTES = 512
FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


@dataclass(frozen=True)
class Share:
    """How many files and folders a cell may have, and how many bytes they may take."""

    files: int
    size_bytes: int


@dataclass
class Taken:
    """What was found, up to where the share was passed."""

    files: int = 0
    size_bytes: int = 0
    levels: int = 0

    def is_beyond(self, share: Share) -> bool:
        """Tell whether that is more than a cell may have; so is a tree that is too deep."""
        is_too_much = self.files > share.files or self.size_bytes > share.size_bytes
        return is_too_much or self.levels > MOST_LEVELS


def taken(folder: Path, share: Share) -> Taken:
    """Count what is in a folder, in time bounded by `share`. A folder that is gone has nothing.

    What stands there may change meanwhile, and lead anywhere: no link is followed.
    """
    found = Taken()
    try:
        root = os.open(folder, FOLDER)
    except OSError:
        # It is being removed.
        return found
    try:
        _walk(root, 1, found, share)
    finally:
        os.close(root)
    return found


def _walk(folder: int, level: int, found: Taken, share: Share) -> None:
    """Count what is below `folder`; at most MOST_LEVELS of these are under way."""
    with os.scandir(folder) as entries:
        for entry in entries:
            if found.is_beyond(share):
                return
            inner = _count(entry, folder, found)
            if inner is not None:
                found.levels = max(found.levels, level)
                try:
                    _walk(inner, level + 1, found, share)
                finally:
                    os.close(inner)


def _count(entry: os.DirEntry[str], folder: int, found: Taken) -> int | None:
    """Count an entry; return the folder opened, if it is one."""
    found.files += 1
    try:
        found.size_bytes += entry.stat(follow_symlinks=False).st_blocks * BLOCK_BYTES
        if entry.is_dir(follow_symlinks=False):
            return os.open(entry.name, FOLDER, dir_fd=folder)
    except OSError:
        # It went, or something else stands there now.
        return None
    return None
