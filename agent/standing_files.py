"""The assistant's own files in a live cell: kept up to date, and MEMORY.md compared and drawn."""

import asyncio
from collections.abc import Iterable, Sequence

from agent import file_failures, memory, workspace
from agent.cells.cell import Cell
from agent.files import FilesFailed
from agent.imported_files import place_imported
from agent.memory import Noted
from agent.message import Message
from agent.prompt.instructions import Product
from agent.state import WORKSPACE
from agent.tools.registry import OfferedTool
from agent.turn import Note, Turn
from settings import Settings

# More of USER.md is not looked at; OpenClaw shows a model far less.
STANDING_BYTES = 1024 * 1024
MEMORY_PATH = f"{WORKSPACE}/MEMORY.md"


async def refresh(
    cell: Cell, turn: Turn, message: Message, settings: Settings, tools: Iterable[OfferedTool]
) -> None:
    """Bring the files up to date before a turn; write only what changed. Raises FilesFailed."""
    standing = cell.standing
    if turn.imported:
        await place_imported(cell.files, turn.imported)
    if standing is None or turn.imported:
        standing = await _read_standing(cell)
    due, cell.shown = workspace.due(
        standing,
        profile=turn.profile,
        product=Product.of(settings),
        tools=[one.tool for one in tools],
        notes=turn.notes,
    )
    for name, data in due.items():
        await cell.files.put(f"{WORKSPACE}/{name}", data)
    for path, data in message.originals.items():
        await cell.files.put(path, data)


async def noted(cell: Cell) -> Noted | None:
    """Say what the last turn did to MEMORY.md; None for nothing. Raises AgentFailed."""
    if cell.shown is None:
        return None
    try:
        async with cell.lock:
            found = await cell.files.get(MEMORY_PATH, STANDING_BYTES)
    except FilesFailed as error:
        raise file_failures.of_turn(error) from error
    return memory.compare(cell.shown, (found or b"").decode(errors="replace"))


async def show_notes(cell: Cell, notes: Sequence[Note], carried: Sequence[str]) -> None:
    """Draw MEMORY.md anew; lines `carried` are no notes yet. Raises AgentFailed."""
    cell.shown = memory.render(notes, "\n".join(carried))
    try:
        async with cell.lock:
            await cell.files.put(MEMORY_PATH, cell.shown.text.encode())
    except FilesFailed as error:
        raise file_failures.of_turn(error) from error


async def _read_standing(cell: Cell) -> dict[str, bytes]:
    """Read the files that each turn looks at; those that are missing are left out."""
    paths = [f"{WORKSPACE}/{name}" for name in workspace.KEPT_FILES]
    found = await asyncio.gather(*(cell.files.get(path, STANDING_BYTES) for path in paths))
    named = zip(workspace.KEPT_FILES, found, strict=True)
    return {name: data for name, data in named if data is not None}
