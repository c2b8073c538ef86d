"""A worker's cells: how many there are, which are blank, whose the others are."""

import asyncio
import threading
import time
from collections.abc import Callable, Collection
from uuid import UUID

import structlog

from agent.cells.boot.scheduler import BootCounts, BootScheduler, at_once
from agent.cells.boot.spec import CellSpec
from agent.cells.boot.start import CellFailed
from agent.cells.cell import Cell
from agent.cells.demand import Demand
from agent.cells.health_monitor import HealthMonitor, is_unhealthy
from agent.cells.host.disk_usage import Share
from agent.cells.host.memory import available_bytes
from agent.cells.host.worker_dir import WorkerDir
from agent.cells.io.answer import cancelled
from agent.cells.pulse import Pulse
from agent.cells.states import State
from agent.turn import AgentFailed, TurnFailure
from settings import Settings

log = structlog.get_logger()

CELL_BYTES = 1_200 * 1024 * 1024
# With less than this left on the machine, cells that nobody needs now are given up.
LOW_BYTES = 400 * 1024 * 1024
FEWEST, MOST = 2, 24
KEEP_SECONDS = 1.0
# A spare takes about twenty seconds to boot, longer on a machine that does much else.
SPARE_SECONDS = 120.0
STOP_POLL_SECONDS = 0.2
FIRST_WORDS_SECONDS = 4.0
# Of all cells, how many may at most be held for people who have opened the chat and asked nothing.
WARMED_SHARE = 0.25
# Who wrote within this time is probably still reading: their cell is not taken for a spare.
READING_SECONDS = 30.0


def capacity(settings: Settings) -> int:
    """Return how many cells fit: the setting's number, or what free memory allows."""
    if settings.cells_per_worker:
        return settings.cells_per_worker
    return max(FEWEST, min(MOST, available_bytes() // CELL_BYTES))


class Pool:
    """All cells of one worker. Lives on the runtime's event loop."""

    def __init__(
        self,
        settings: Settings,
        worker_dir: WorkerDir,
        find_spec: Callable[[], CellSpec | None],
        on_spare: Callable[[], None],
    ) -> None:
        self.capacity = capacity(settings)
        self.waiting = Demand()
        self._settings = settings
        self._worker_dir = worker_dir
        self._disk = worker_dir.disk
        self._find_spec = find_spec
        self._on_spare = on_spare
        self._cells: list[Cell] = []
        self._boots = BootScheduler(at_once())
        self._watching: asyncio.Task[None] | None = None
        self._changes = Pulse()

    def count(self, *states: State) -> int:
        """Count the cells in any of `states`."""
        return sum(cell.state in states for cell in list(self._cells))

    @property
    def boots(self) -> BootCounts:
        return self._boots.counts

    def memory_bytes(self) -> int:
        """Return what all cells had when they were last weighed."""
        return sum(cell.resident_bytes for cell in list(self._cells))

    def of(self, user_id: UUID) -> Cell | None:
        """Return this person's cell, if there is a live one."""
        mine = (cell for cell in list(self._cells) if cell.user_id == user_id and cell.is_alive)
        return next(mine, None)

    def hot_users(self) -> list[UUID]:
        """List the people whose cell is not at work now and may go on.

        None may while a cell could write nothing, and while somebody else has waited for so long
        that the first cell that is idle is ended to make room.
        """
        must_yield = self.waiting.is_long and (self._is_for_one or self._is_short())
        if must_yield or not self._disk.has_room():
            return []
        hot = (cell for cell in list(self._cells) if cell.state is State.HOT and cell.is_alive)
        return [cell.user_id for cell in hot if cell.user_id]

    def owners(self) -> list[UUID]:
        """List the people who have a live cell."""
        return [cell.user_id for cell in list(self._cells) if cell.user_id and cell.is_alive]

    def may_share(self) -> bool:
        """Tell whether anybody's files may be here beside those of the cells that are at work."""
        return not (self._is_for_one and self.count(State.BINDING, State.HOT, State.BUSY))

    def room(self, taken: Collection[UUID]) -> int:
        """Count the spares that may be given to new people.

        `taken` are the people whose turns are on here; each without a cell will need a spare.
        """
        is_taken = self._is_for_one and (taken or self.count(State.BINDING, State.BUSY))
        if is_taken or not self._disk.has_room():
            return 0
        free = self._free(taken)
        return min(free, 1) if self._is_for_one else free

    def _free(self, taken: Collection[UUID]) -> int:
        needed = sum(self.of(user_id) is None for user_id in taken)
        return max(0, self.count(State.SPARE) - needed)

    async def take_spare(self, user_id: UUID, stop: threading.Event) -> Cell:
        """Return a blank spare that is this person's from now on, waiting for one if need be.

        Raises AgentFailed when none comes up in time, or `stop` is set before.
        """
        self.waiting.turns += 1
        self._changes.fire()
        try:
            async with asyncio.timeout(SPARE_SECONDS):
                while (spare := self._bindable()) is None:
                    self._hurry()
                    if stop.is_set():
                        raise AgentFailed(TurnFailure.STOPPED, permanent=True)
                    if not self._disk.has_room():
                        raise AgentFailed(TurnFailure.DISK_FULL, permanent=False)
                    await self._changes.wait(STOP_POLL_SECONDS)
        except TimeoutError as error:
            log.warning("cells.exhausted", user_id=str(user_id), capacity=self.capacity)
            if self._find_spec() is None:
                raise AgentFailed(TurnFailure.ENGINE_UNAVAILABLE, permanent=False) from error
            raise AgentFailed(TurnFailure.BUSY, permanent=False) from error
        finally:
            self.waiting.turns -= 1
        spare.reserve(user_id)
        # The next spare does not take the processor from the first words of this answer.
        self._boots.hold_off(FIRST_WORDS_SECONDS)
        self._changes.fire()
        return spare

    async def discard(self, cell: Cell, grace_seconds: float = 0) -> None:
        """End a cell and remove all traces of it."""
        if cell in self._cells:
            self._cells.remove(cell)
            await cell.end(grace_seconds)
            await asyncio.to_thread(self._worker_dir.clear, cell.place)
            self._changes.fire()

    def spare_to_warm(self, user_id: UUID, taken: Collection[UUID]) -> Cell | None:
        """Return a spare that is this person's from now on, though they have asked nothing yet.

        None when they have a cell, when somebody who has asked needs the spare, when no other could
        be booted, or when enough cells are held for people who may never ask.
        """
        held = sum(cell.state is State.BINDING or cell.is_warmed for cell in self._cells)
        free = 0 if self.waiting.is_anybody else self._free(taken)
        is_served = user_id in taken or self.of(user_id) is not None
        if is_served or self._is_for_one or held >= max(1, self.capacity * WARMED_SHARE):
            return None
        spare = self._bindable() if free > 1 or (free and self._has_place()) else None
        if spare is not None:
            spare.reserve(user_id)
            self._changes.fire()
        return spare

    async def keep(self) -> None:
        """Look after the cells for ever: clear up the dead and the idle, boot what is missing."""
        settings = self._settings
        limit_bytes = settings.cell_memory_limit_mb * 1024 * 1024
        share = Share(settings.cell_files_limit, settings.cell_disk_limit_mb * 1024 * 1024)
        watch = HealthMonitor(lambda: list(self._cells), limit_bytes, share)
        self._watching = asyncio.create_task(watch.run())
        while True:
            try:
                for cell in self._superfluous():
                    # While the one before was ended this one's user may have written.
                    if cell.is_idle or not cell.is_alive or is_unhealthy(cell):
                        await self.discard(cell)
                if self.waiting.is_anybody:
                    self._hurry()
                self._boot_if_wanted()
            except Exception:
                # Without its keeper a worker would stay up and never have a cell again.
                log.exception("cells.keeper_stumbled")
            await self._changes.wait(KEEP_SECONDS)

    async def end(self, grace_seconds: float) -> None:
        """End all cells at once."""
        if self._watching is not None:
            await cancelled(self._watching)
        await self._boots.end()
        await asyncio.gather(*(self.discard(cell, grace_seconds) for cell in list(self._cells)))

    def _hurry(self) -> None:
        for cell in self._cells:
            if cell.state in {State.BOOTING, State.WARMING}:
                cell.raise_priority()

    def _bindable(self) -> Cell | None:
        if self._is_for_one and any(cell.user_id for cell in self._cells):
            return None
        return next((cell for cell in self._cells if cell.is_alive and cell.is_spare), None)

    @property
    def _is_for_one(self) -> bool:
        """Where cells are not walled off, two people are never here at the same time."""
        spec = self._find_spec()
        return spec is not None and not spec.sandbox.mode.separates

    def _superfluous(self) -> list[Cell]:
        """List the cells to end: dead, ill, worn or idle for long, and one more to make room."""
        now = time.monotonic()
        over = [cell for cell in self._cells if cell.was_booted and not cell.is_alive]
        over += [cell for cell in self._cells if cell.is_alive and is_unhealthy(cell)]
        # First those that were never asked anything.
        idle = sorted(
            (cell for cell in self._cells if cell.is_idle and cell.is_alive and cell not in over),
            key=lambda cell: (not cell.is_warmed, cell.last_used),
        )
        over += [
            cell for cell in idle if cell.is_due_for_recycle or self._is_idle_for_long(cell, now)
        ]
        rest = [cell for cell in idle if cell not in over]
        if rest and not over and self._must_make_room(rest[0], now):
            over.append(rest[0])
        return over

    def _is_idle_for_long(self, cell: Cell, now: float) -> bool:
        settings = self._settings
        limit = settings.hot_cell_idle_seconds
        if cell.is_warmed:
            limit = min(limit, settings.warmed_cell_idle_seconds)
        return now - cell.last_used > limit

    def _must_make_room(self, longest_idle: Cell, now: float) -> bool:
        if len(self._cells) > FEWEST and available_bytes() < LOW_BYTES:
            log.warning("cells.memory_low", cells=len(self._cells))
            return True
        is_short = self._is_short()
        if self.waiting.is_anybody and (self._is_for_one or is_short):
            return True
        is_left = longest_idle.is_warmed or now - longest_idle.last_used > READING_SECONDS
        return is_short and is_left

    def _has_place(self) -> bool:
        """Tell whether a further cell may be: by their number, by memory and by disk."""
        booting = len(self._boots)
        cells = len(self._cells) - self.count(State.BOOTING, State.WARMING) + booting
        if cells >= self.capacity or not self._disk.has_room():
            return False
        # Those that boot do not have all of their memory yet.
        return cells < FEWEST or available_bytes() >= CELL_BYTES * (booting + 1)

    def _is_due(self) -> bool:
        """Tell whether another cell should boot now, beyond the spares and those that boot."""
        wanted = max(1, self._settings.spare_cells, self.waiting.people)
        is_missing = self.count(State.SPARE) + len(self._boots) < wanted
        return is_missing and self._boots.may_begin(is_hurried=self.waiting.is_anybody)

    def _is_short(self) -> bool:
        return self._is_due() and not self._has_place()

    def _boot_if_wanted(self) -> None:
        while self._is_due() and self._has_place() and (spec := self._find_spec()):
            self._boots.begin(self._boot(spec))

    async def _boot(self, spec: CellSpec) -> None:
        cell, began = None, time.monotonic()
        try:
            cell = Cell(spec, await asyncio.to_thread(self._worker_dir.new_place), self._disk)
            self._cells.append(cell)
            await cell.boot()
        except (CellFailed, OSError) as error:
            pause = self._boots.failed(is_hurried=self.waiting.is_anybody)
            log.error("cell.not_booted", error=str(error), next_try_seconds=pause)
            if cell is not None:
                await self.discard(cell)
        else:
            self._boots.worked(time.monotonic() - began)
            self._changes.fire()
            self._on_spare()
