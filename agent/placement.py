"""Finds each person a cell for their turn: the hot one that they have, or a spare."""

import asyncio
import threading
from collections.abc import Collection
from uuid import UUID

import structlog

from agent import file_failures
from agent.cells.cell import Cell
from agent.cells.pool import Pool
from agent.cells.states import State
from agent.files import FilesFailed
from agent.state import Restored, SavedStates
from agent.turn import AgentFailed, SavedState, Turn, TurnFailure

log = structlog.get_logger()

# The turn before may still be letting go of the person's cell.
CELL_SECONDS = 15


class Placement:
    """Puts people's saved files into cells of one pool. It lives on the cells' event loop."""

    def __init__(self, pool: Pool, states: SavedStates) -> None:
        self._pool, self._states = pool, states

    async def cell_for(self, turn: Turn, stop: threading.Event) -> Cell:
        """Return a cell with the newest files of the turn's person. Raises AgentFailed."""
        newest = turn.states[0].version if turn.states else 0
        hot = self._pool.of(turn.user_id)
        if hot is not None:
            await _until_free(hot)
            # The version before is right too while the one that it just saved is being recorded.
            if hot.state is State.HOT and newest in {hot.version, hot.previous_version}:
                return hot
            log.info("cell.stale", user_id=str(turn.user_id), has=hot.version, newest=newest)
            await self._pool.discard(hot)
        restored = await asyncio.to_thread(self._states.get, turn.states)
        spare = await self._pool.take_spare(turn.user_id, stop)
        return await self._bind(spare, restored)

    async def warm(
        self, user_id: UUID, states: tuple[SavedState, ...], taken: Collection[UUID]
    ) -> bool:
        """Put the person's files into a spare that no `taken` person needs; False if it cannot."""
        spare = self._pool.spare_to_warm(user_id, taken)
        if spare is None:
            return False
        # Whoever finds the cell meanwhile waits until it has the files.
        async with spare.lock:
            try:
                restored = await asyncio.to_thread(self._states.get, states)
                await self._bind(spare, restored)
            except AgentFailed as error:
                log.warning("cell.not_warmed", user_id=str(user_id), error=error.code)
                await self._pool.discard(spare)
                return False
        log.info("cell.warmed", user_id=str(user_id), pid=spare.pid)
        return True

    async def _bind(self, spare: Cell, restored: Restored) -> Cell:
        try:
            await spare.bind(restored)
        except FilesFailed as error:
            log.warning("cell.not_bound", pid=spare.pid, error=str(error))
            await self._pool.discard(spare)
            raise file_failures.of_turn(error) from error
        return spare


async def _until_free(cell: Cell) -> None:
    try:
        async with asyncio.timeout(CELL_SECONDS), cell.lock:
            return
    except TimeoutError as error:
        raise AgentFailed(TurnFailure.STILL_BUSY, permanent=False) from error
