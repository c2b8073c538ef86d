"""Watches a worker's live cells: what memory and disk they take, and whether they are well."""

import asyncio
import time
from collections.abc import Callable

import structlog

from agent.cells.cell import Cell
from agent.cells.host.disk_usage import Share, taken
from agent.cells.host.memory import resident_bytes
from agent.cells.states import State

log = structlog.get_logger()

MEMORY_SECONDS = 2.0
HEALTH_SECONDS = 20.0
DISK_SECONDS = 10.0
# A busy machine may be late once.
MOST_MISSES = 2
CHECKED = frozenset({State.SPARE, State.HOT})


class HealthMonitor:
    """Lives on the runtime's event loop. It ends no cell but one that takes more than its share."""

    def __init__(self, cells: Callable[[], list[Cell]], limit_bytes: int, share: Share) -> None:
        self._cells = cells
        self._limit_bytes = limit_bytes
        self._share = share
        self._next_check = 0.0
        self._next_count = 0.0

    async def run(self) -> None:
        """Watch for ever."""
        while True:
            try:
                await self._weigh()
                if time.monotonic() >= self._next_count:
                    await self._count()
                    self._next_count = time.monotonic() + DISK_SECONDS
                if time.monotonic() >= self._next_check:
                    await self._check()
                    self._next_check = time.monotonic() + HEALTH_SECONDS
            except Exception:
                # Without it, cells would go unwatched for the rest of the worker's life.
                log.exception("cells.watch_stumbled")
            await asyncio.sleep(MEMORY_SECONDS)

    async def _weigh(self) -> None:
        by_pid = {cell.pid: cell for cell in self._cells() if cell.pid and cell.is_alive}
        found = await asyncio.to_thread(resident_bytes, [pid for pid in by_pid if pid])
        for pid, size in found.items():
            by_pid[pid].resident_bytes = size
            if size > self._limit_bytes and by_pid[pid].is_alive:
                await by_pid[pid].kill_oom()

    async def _count(self) -> None:
        """Count what each has on the disk, one after the other."""
        alive = [cell for cell in self._cells() if cell.is_alive]
        for cell, folder in [(one, folder) for one in alive for folder in one.place.writable]:
            found = await asyncio.to_thread(taken, folder, self._share)
            if found.is_beyond(self._share) and cell.is_alive:
                await cell.overflow(found)

    async def _check(self) -> None:
        """Ask those that are not at work; a turn shows soon enough that its cell is not well."""
        idle = [cell for cell in self._cells() if cell.state in CHECKED and not cell.lock.locked()]
        await asyncio.gather(*(cell.check() for cell in idle if cell.is_alive))
        for cell in idle:
            if cell.misses:
                log.warning("cell.unwell", pid=cell.pid, misses=cell.misses)


def is_unhealthy(cell: Cell) -> bool:
    """Tell whether a cell without work, and with nothing to lose, has missed too many checks."""
    return cell.misses >= MOST_MISSES and (cell.is_spare or cell.is_idle)
