"""Which files of a cell are the person's, and how much of them is kept."""

from pathlib import PurePosixPath

DATABASE = "agents/tenant/agent/openclaw-agent.sqlite"
WORKSPACE = "workspace"
UPLOADS = f"{WORKSPACE}/uploads"
# Unpacked. Both ways: what may not be restored must not be saved either.
MAX_BYTES = 1024 * 1024 * 1024
# The newest uploads up to this; the older ones are still where the person uploaded them.
UPLOADS_KEPT_BYTES = 512 * 1024 * 1024


def is_in_place(name: str) -> bool:
    """Tell whether a file of this name may be part of a person's state."""
    if name == DATABASE:
        return True
    path = PurePosixPath(name)
    is_plain = not path.is_absolute() and ".." not in path.parts and str(path) == name
    return is_plain and "\0" not in name and len(path.parts) > 1 and path.parts[0] == WORKSPACE
