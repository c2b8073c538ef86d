"""Saves what a person's cell has, as the version after the one that it came from."""

import asyncio
from collections.abc import Callable
from uuid import UUID

import structlog

from agent import file_failures
from agent.cells.cell import Cell
from agent.files import CellFiles, Changed, FilesFailed
from agent.state import DATABASE, DamagedState, Known, SavedStates, StateWriter, TooLarge
from agent.turn import AgentFailed, SavedState, TurnFailure

log = structlog.get_logger()

# Smaller parts are hashed and compressed sooner than a thread could take them over.
INLINE_BYTES = 64 * 1024


async def save(states: SavedStates, user_id: UUID, cell: Cell) -> SavedState:
    """Store what changed in `cell`, which is idle meanwhile; return the new version.

    Raises AgentFailed when the cell does not give its files, and StorageFailed.
    """
    async with cell.lock:
        try:
            known = await save_files(states, user_id, cell.files, cell.known)
        except DamagedState as error:
            # All of it is still here: with what is in storage nothing more could be restored.
            log.error("state.damaged", user_id=str(user_id), error=repr(error))
            known = await save_files(states, user_id, cell.files, all_new(cell.known))
        cell.mark_saved(known)
    return known.state


async def save_files(
    states: SavedStates,
    user_id: UUID,
    files: CellFiles,
    before: Known,
    check: Callable[[], object] = lambda: None,
) -> Known:
    """Store what changed since `before`. Raises as `save` does, and DamagedState.

    `check` is called, from a thread, before anything is stored; what it raises ends the save.
    """
    writer = StateWriter(before.tree, before.standing, states.most_bytes)
    try:
        generation = await _read(files, writer, before.generation)
        tree, packed = await asyncio.to_thread(writer.finish)
    except FilesFailed as error:
        log.warning("state.unreadable", user_id=str(user_id), error=repr(error))
        raise file_failures.of_turn(error) from error
    except TooLarge as error:
        raise AgentFailed(TurnFailure.STATE_TOO_LARGE, permanent=True) from error
    if DATABASE not in tree:
        # Saved like this, the assistant would have forgotten every conversation.
        raise AgentFailed(TurnFailure.STATE_NOT_SAVED, permanent=False)
    if packed is None:
        state = SavedState(before.state.version + 1, before.state.packs, before.state.size_bytes)
    else:
        await asyncio.to_thread(check)
        state = await asyncio.to_thread(states.put, user_id, before.state, tree, packed)
    return Known(state, tree, generation, writer.standing)


async def _read(files: CellFiles, writer: StateWriter, since: int) -> int:
    """Hand all that changed to `writer`; return the generation that this was."""
    async for change in files.state(since):
        if not isinstance(change, Changed):
            return change.number
        if change.data and len(change.data) > INLINE_BYTES:
            await asyncio.to_thread(writer.add, change)
        else:
            writer.add(change)
    raise FilesFailed("The cell did not say which generation this was.")


def all_new(known: Known) -> Known:
    """As if nothing had ever been saved, but for the number of the version."""
    return Known(SavedState(known.state.version, (), 0), {}, 0, {})
