"""Takes what was deleted out of a person's saved files, where OpenClaw is not at work.

What comes out is stored whole, as one pack with nothing before it: the versions before still have
the words, and can be deleted all of them.
"""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from uuid import UUID

from agent import memory
from agent.cells.boot import start
from agent.cells.boot.spec import CellSpec
from agent.cells.host.worker_dir import WorkerDir
from agent.cells.io.sockets import CellSockets
from agent.files import CellFiles
from agent.message import upload_prefix
from agent.saving import all_new, save_files
from agent.state import BLANK, WORKSPACE, Known, Restored, SavedStates
from agent.turn import Forgotten, Note, SavedState

# More of MEMORY.md is not looked at.
MEMORY_BYTES = 1024 * 1024


async def forget(
    spec: CellSpec,
    worker_dir: WorkerDir,
    states: SavedStates,
    user_id: UUID,
    restored: Restored,
    forgotten: Forgotten,
    check: Callable[[], object],
) -> SavedState:
    """Return the version after `restored`, without what is `forgotten`.

    Raises AgentFailed, FilesFailed and StorageFailed, and whatever `check` raises, which is called
    before anything is stored; then nothing has changed.
    """
    async with AsyncExitStack() as ending:
        place = await asyncio.to_thread(worker_dir.new_place)
        ending.push_async_callback(asyncio.to_thread, worker_dir.clear, place)
        sockets = CellSockets(place)
        ending.callback(sockets.close)
        process = await start.start_without_openclaw(spec, place, sockets)
        ending.push_async_callback(process.end, 0)
        files = CellFiles(sockets.files)
        ending.push_async_callback(files.close)
        await files.put_state(restored.files)
        before = all_new(Known(restored.state, BLANK.tree, 0, {}))
        del restored
        uploads = [upload_prefix(job_id) for job_id in forgotten.jobs]
        kept = None if forgotten.notes is None else [note.number for note in forgotten.notes]
        await files.forget(forgotten.conversations, uploads, forgotten.paths, kept)
        if forgotten.notes is not None:
            await _render_notes(files, forgotten.notes)
        saved = (await save_files(states, user_id, files, before, check)).state
    # Nothing will be left to fall back on.
    await asyncio.to_thread(states.get, (saved,))
    return saved


async def _render_notes(files: CellFiles, notes: Sequence[Note]) -> None:
    """Let MEMORY.md have these notes, and what the assistant had written there that is no note."""
    path = f"{WORKSPACE}/MEMORY.md"
    standing = await files.get(path, MEMORY_BYTES)
    if standing is not None:
        shown = memory.render(notes, standing.decode(errors="replace"))
        await files.put(path, shown.text.encode())
