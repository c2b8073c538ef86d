"""Files that a person brought from elsewhere, put into the workspace of their cell."""

from collections.abc import Iterable

import structlog

from agent.files import CellFiles, DiskFull, FilesFailed
from agent.state import WORKSPACE
from agent.turn import FileToPlace

log = structlog.get_logger()

# What is in every workspace from its first turn on: what was imported is put beside it.
SEEDED = ("USER.md",)


async def place_imported(files: CellFiles, imported: Iterable[FileToPlace]) -> None:
    """Write each file where nothing stands; nothing is written over. Raises FilesFailed."""
    for one in imported:
        if not await _place(files, one.path, one.data) and one.path in SEEDED:
            await _place(files, f"memory/imported-{one.path}", one.data)


async def _place(files: CellFiles, path: str, data: bytes) -> bool:
    full = f"{WORKSPACE}/{path}"
    if await files.get(full, 1) is not None:
        return False
    try:
        await files.put(full, data)
    except DiskFull:
        raise
    except FilesFailed as error:
        # A folder has its name, or a file that of its folder: no turn may fail of that.
        log.warning("imported.not_placed", error=str(error))
        return False
    return True
