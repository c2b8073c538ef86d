"""The keeper ends cells one after another, and their users may write meanwhile."""

import asyncio
import time
from types import SimpleNamespace
from typing import cast
from uuid import uuid4

from agent.cells.cell import Cell
from agent.cells.demand import Demand
from agent.cells.pool import Pool
from agent.cells.pulse import Pulse
from agent.cells.states import State

LONG_AGO = 901


class IdleCell:
    """A hot cell that was idle for long; ending it takes a moment."""

    def __init__(self) -> None:
        self.user_id, self.pid, self.misses, self.turns = uuid4(), None, 0, 3
        self.state, self.is_alive, self.was_booted, self.is_spare = State.HOT, True, True, False
        self.is_warmed, self.is_due_for_recycle = False, False
        self.last_used, self.resident_bytes = time.monotonic() - LONG_AGO, 0
        self.place = SimpleNamespace(writable=())
        self.ended_at: State | None = None

    @property
    def is_idle(self) -> bool:
        return self.state is State.HOT

    async def end(self, _: float) -> None:
        self.ended_at = self.state
        await asyncio.sleep(0.2)


class Kept(Pool):
    """A pool with these cells and nothing else."""

    def __init__(self, *cells: IdleCell) -> None:
        self._cells = [cast(Cell, cell) for cell in cells]
        self.waiting, self._changes = Demand(), Pulse()
        self._worker_dir = SimpleNamespace(clear=lambda _: None)  # pyright: ignore
        self._settings = SimpleNamespace(  # pyright: ignore
            cell_memory_limit_mb=1_000,
            cell_files_limit=1_000,
            cell_disk_limit_mb=1_000,
            hot_cell_idle_seconds=900,
            warmed_cell_idle_seconds=180,
        )

    def _boot_if_wanted(self) -> None:
        """None is missing."""


async def write_while_another_is_ended() -> tuple[IdleCell, IdleCell]:
    first, second = IdleCell(), IdleCell()
    pool = Kept(first, second)
    keeping = asyncio.create_task(pool.keep())
    await asyncio.sleep(0.05)
    second.state, second.last_used = State.BUSY, time.monotonic()
    await asyncio.sleep(0.4)
    keeping.cancel()
    return first, second


def test_no_cell_at_a_turn_is_ended_for_having_been_idle() -> None:
    first, second = asyncio.run(write_while_another_is_ended())
    assert first.ended_at is State.HOT
    assert second.ended_at is None
