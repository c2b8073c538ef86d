"""Which files of a cell are the person's, and how much of them is kept."""

from pathlib import PurePosixPath

DATABASE = "agents/main/agent/openclaw-agent.sqlite"
# Where states have it that were saved when the agent had another name: a cell that takes one in
# lets it belong to the agent of today, and the next save knows only that.
DATABASE_BEFORE = "agents/tenant/agent/openclaw-agent.sqlite"
WORKSPACE = "workspace"
UPLOADS = f"{WORKSPACE}/uploads"
# Unpacked. Both ways: what may not be restored must not be saved either.
MAX_BYTES = 1024 * 1024 * 1024
# The newest uploads up to this; the older ones are still where the person uploaded them.
UPLOADS_KEPT_BYTES = 512 * 1024 * 1024
# How many files are kept, how deep they may lie, and how long their names may be, in bytes.
MOST_FILES = 20_000
MOST_LEVELS = 64
NAME_BYTES = 255
PATH_BYTES = 4096


def is_in_place(name: str) -> bool:
    """Tell whether a file of this name may be part of a person's state."""
    if name in {DATABASE, DATABASE_BEFORE}:
        return True
    path = PurePosixPath(name)
    is_plain = not path.is_absolute() and ".." not in path.parts and str(path) == name
    return is_plain and "\0" not in name and len(path.parts) > 1 and path.parts[0] == WORKSPACE


def may_be_kept(name: str) -> bool:
    """Tell whether a file of this name is saved, and put into a cell; earlier there were others."""
    parts = PurePosixPath(name).parts
    lengths = [len(part.encode(errors="replace")) for part in parts]
    is_short = sum(lengths) + len(lengths) <= PATH_BYTES and max(lengths, default=0) <= NAME_BYTES
    return is_in_place(name) and is_short and len(parts) <= MOST_LEVELS
