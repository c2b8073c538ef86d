"""Takes deleted conversations out of a person's saved files, where OpenClaw is not at work.

What comes out is stored whole, as one pack with nothing before it: the versions before still have
the words, and can be deleted all of them.
"""

import asyncio
from uuid import UUID

from agent.cells import boot
from agent.cells.doors import Doors
from agent.cells.files import CellFiles
from agent.cells.ground import Ground
from agent.cells.kit import Kit
from agent.message import upload_prefix
from agent.saving import all_new, save_files
from agent.state import BLANK, Known, Restored, SavedStates
from agent.turn import Forgotten, SavedState


async def forget(
    kit: Kit,
    ground: Ground,
    states: SavedStates,
    user_id: UUID,
    restored: Restored,
    forgotten: Forgotten,
) -> SavedState:
    """Return the version after `restored`, without what is `forgotten`.

    Raises AgentFailed, FilesFailed and StorageFailed; then nothing has changed.
    """
    place = await asyncio.to_thread(ground.new_place)
    doors = Doors(place)
    files = CellFiles(doors.files)
    process = None
    try:
        process = await boot.start_without_openclaw(kit, place, doors)
        await files.put_state(restored.files)
        uploads = [upload_prefix(job_id) for job_id in forgotten.jobs]
        await files.forget(forgotten.conversations, uploads)
        before = Known(restored.state, BLANK.tree, 0, {})
        saved = (await save_files(states, user_id, files, all_new(before))).state
        # Nothing will be left to fall back on.
        await asyncio.to_thread(states.get, (saved,))
        return saved
    finally:
        await files.close()
        if process is not None:
            await process.end(0)
        doors.close()
        await asyncio.to_thread(ground.clear, place)
