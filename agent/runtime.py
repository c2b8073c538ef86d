"""Turns, answered by the cells of one worker process."""

import asyncio
import threading
from collections.abc import Callable, Collection, Coroutine, Mapping, Sequence
from typing import Any, TypeVar
from uuid import UUID

import structlog

from agent import catalogue, file_failures, standing_files
from agent.cells.boot.config import TENANT
from agent.cells.cell import Cell
from agent.cells.host.cell_paths import Mode
from agent.cells.host.cgroups import Cgroups
from agent.cells.host.memory import available_bytes
from agent.cells.host.probe import find_sandbox
from agent.cells.host.worker_dir import WorkerDir
from agent.cells.io.answer import cancelled
from agent.cells.io.gateway import Question
from agent.cells.pool import Pool
from agent.cells.pool_stats import PoolStats
from agent.cells.states import State
from agent.files import FilesFailed
from agent.forgetting import forget
from agent.memory import Noted
from agent.message import compose_in_thread
from agent.meter.call_ledger import CallLedger
from agent.placement import Placement
from agent.prices import Prices
from agent.saving import save
from agent.specs import Specs
from agent.state import Restored, SavedStates
from agent.tools import registry
from agent.tools.registry import Handler
from agent.turn import (
    AgentFailed,
    Answer,
    Forgotten,
    Note,
    SavedState,
    Turn,
    TurnFailure,
    Watcher,
)
from gateways.s3_files import Storage
from settings import Settings

log = structlog.get_logger()

Result = TypeVar("Result")
STOP_SECONDS = 30
# What a worker reports in place of a sandbox's mode.
NO_CELLS = "no cells"


class Runtime:
    """The cells of one worker and the event loop that they live on. Safe to use from any thread.

    `on_free` is called, from a thread, when there is room for a further person's turn.
    """

    def __init__(
        self,
        settings: Settings,
        storage: Storage,
        handlers: Mapping[str, Handler] | None = None,
        *,
        margin: Callable[[], int] | None = None,
    ) -> None:
        """`handlers` do the product's own tools, by name; a tool without one is not offered.

        `margin` says in percent what calls are priced by; without, the settings do.
        """
        self._tools = registry.offered(handlers or {})
        self.on_free: Callable[[], object] = lambda: None
        self._settings = settings
        self._states = SavedStates(storage, settings.state_max_bytes_per_user)
        self._sandbox = find_sandbox(settings)
        self._groups = Cgroups.find()
        self._worker_dir = WorkerDir(
            settings, self._sandbox.mode if self._sandbox else Mode.PROCESS
        )
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="cells", daemon=True)
        prices = Prices(settings, margin)
        self._specs = Specs(settings, self._sandbox, self._groups, prices, self._tools)
        self._pool = Pool(settings, self._worker_dir, self._specs.find, self._announce_room)
        self._placement = Placement(self._pool, self._states)
        if self._sandbox is None:
            self._pool.capacity = 0
        self._keeping: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to boot spares."""
        self._thread.start()
        self._do(self._start_keeping())
        log.info(
            "cells.started",
            capacity=self._pool.capacity,
            sandbox=self._walls,
            memory="bounded by the kernel" if self._groups else "watched",
        )

    def stop(self, grace_seconds: float) -> None:
        """End all cells, with what runs in them, and remove every trace."""
        self._do(self._stop(grace_seconds))
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(STOP_SECONDS)
        self._worker_dir.close()

    def ready(self) -> bool:
        """Tell whether there is a cell that can answer, now or after the turn that it is at."""
        return self._pool.count(State.SPARE, State.BINDING, State.HOT, State.BUSY) > 0

    def room(self, taken: Collection[UUID]) -> int:
        """Count the new people who could be answered at once, beside the `taken` ones."""
        return self._pool.room(taken)

    def hot_users(self) -> list[UUID]:
        """List the people who can be answered at once by the cell that they have."""
        return self._pool.hot_users()

    def owners(self) -> list[UUID]:
        """List the people who have a cell, at work or not."""
        return self._pool.owners()

    def tell_queue(self, people: int, seconds: float) -> None:
        """Say how many wait in the queue for a cell of this worker, and the first for how long."""
        self._pool.waiting.tell_queue(people, seconds)

    def pid_of(self, user_id: UUID) -> int | None:
        """Return the process that holds all of the person's cell, if they have one."""
        cell = self._pool.of(user_id)
        return cell.pid if cell else None

    def stats(self) -> PoolStats:
        """Count the cells, and what they take."""
        count = self._pool.count
        return PoolStats(
            booting=count(State.BOOTING, State.WARMING),
            spare=count(State.SPARE),
            hot=count(State.HOT),
            busy=count(State.BINDING, State.BUSY),
            capacity=self._pool.capacity,
            sandbox=self._walls,
            boots=self._pool.boots,
            memory_bytes=self._pool.memory_bytes(),
            memory_free_bytes=available_bytes(),
        )

    @property
    def _walls(self) -> str:
        return self._sandbox.mode.value if self._sandbox else NO_CELLS

    def run(self, turn: Turn, watcher: Watcher, books: CallLedger, stop: threading.Event) -> Answer:
        """Have a turn answered in the person's hot cell, or in a spare with their saved files.

        Raises AgentFailed; `stop` ends the turn so, with the code "stopped".
        """
        return self._do(self._run(turn, watcher, books, stop))

    def warm(self, user_id: UUID, states: tuple[SavedState, ...], taken: Collection[UUID]) -> bool:
        """Put the person's files into a spare, so that their next message finds it ready.

        Nothing happens, and False is returned, when the `taken` people may need the spare, or when
        this cannot be done without trouble. It is a kindness and no promise.
        """
        return self._do(self._placement.warm(user_id, states, taken))

    def save(self, user_id: UUID) -> SavedState:
        """Store what the person's hot cell has as the version after the one it came from.

        Raises AgentFailed when there is no such cell, and StorageFailed.
        """
        return self._do(self._save(user_id))

    def restore(self, states: tuple[SavedState, ...]) -> Restored:
        """Return the files of the newest saved version that is whole. Raises AgentFailed."""
        return self._states.get(states)

    def noted(self, user_id: UUID) -> Noted | None:
        """Say what the assistant did to the person's MEMORY.md in its last turn; None for nothing.

        Raises AgentFailed when their cell is gone.
        """
        return self._do(self._noted(user_id))

    def show_notes(self, user_id: UUID, notes: Sequence[Note], carried: Sequence[str]) -> None:
        """Draw MEMORY.md in the person's cell anew; lines `carried` are no notes yet.

        Raises AgentFailed when their cell is gone.
        """
        self._do(self._show_notes(user_id, notes, carried))

    def forget(
        self,
        user_id: UUID,
        states: tuple[SavedState, ...],
        forgotten: Forgotten,
        check: Callable[[], object],
    ) -> SavedState:
        """Store the person's files without what is `forgotten`; return that version.

        No turn of theirs may run. Their cell is ended, as it is behind then. Raises AgentFailed and
        StorageFailed. `check` is called before anything is stored, and before a version counts as
        damaged; it raises when `states` are not the newest any more, which ends all of it.
        """
        return self._do(self._forget(user_id, states, forgotten, check))

    def discard(self, user_id: UUID) -> None:
        """End the person's cell, if there is one, with all that is not saved."""
        self._do(self._discard(user_id))

    def _do(self, work: Coroutine[Any, Any, Result]) -> Result:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()

    async def _start_keeping(self) -> None:
        self._keeping = asyncio.create_task(self._pool.keep())

    async def _stop(self, grace_seconds: float) -> None:
        if self._keeping is not None:
            await cancelled(self._keeping)
        await self._pool.end(grace_seconds)
        await self._specs.meter.close()

    def _announce_room(self) -> None:
        self._loop.run_in_executor(None, self.on_free)

    async def _run(
        self, turn: Turn, watcher: Watcher, books: CallLedger, stop: threading.Event
    ) -> Answer:
        model = catalogue.find(self._settings, turn.model)
        if model is None:
            raise AgentFailed(TurnFailure.MODEL_WITHDRAWN, permanent=True)
        message = await compose_in_thread(turn, self._specs.bounded(model), self._settings, stop)
        cell = await self._placement.cell_for(turn, stop)
        try:
            async with cell.lock:
                version = cell.version
                await standing_files.refresh(cell, turn, message, self._settings, self._tools)
                session = str(turn.conversation_id)
                question = Question(TENANT, session, message.text, message.images, model.id)
                text = await cell.answer(question, turn, watcher, books, stop)
        except FilesFailed as error:
            log.warning("cell.unreachable", pid=cell.pid, error=str(error))
            await self._pool.discard(cell)
            raise file_failures.of_turn(error) from error
        return Answer(text, version)

    async def _noted(self, user_id: UUID) -> Noted | None:
        return await standing_files.noted(self._require_cell(user_id))

    async def _show_notes(
        self, user_id: UUID, notes: Sequence[Note], carried: Sequence[str]
    ) -> None:
        await standing_files.show_notes(self._require_cell(user_id), notes, carried)

    async def _save(self, user_id: UUID) -> SavedState:
        return await save(self._states, user_id, self._require_cell(user_id))

    def _require_cell(self, user_id: UUID) -> Cell:
        cell = self._pool.of(user_id)
        if cell is None:
            raise AgentFailed(TurnFailure.CELL_DIED, permanent=False)
        return cell

    async def _forget(
        self,
        user_id: UUID,
        states: tuple[SavedState, ...],
        forgotten: Forgotten,
        check: Callable[[], object],
    ) -> SavedState:
        await self._discard(user_id)
        spec = self._specs.find()
        if spec is None or not self._pool.may_share():
            raise AgentFailed(TurnFailure.STILL_BUSY, permanent=False)
        restoring = asyncio.to_thread(self._states.get, states, check)
        try:
            # It is whole in memory: only one of us holds it, for as long as it must.
            return await forget(
                spec, self._worker_dir, self._states, user_id, await restoring, forgotten, check
            )
        except FilesFailed as error:
            log.warning("state.not_edited", user_id=str(user_id), error=str(error))
            raise file_failures.of_turn(error) from error

    async def _discard(self, user_id: UUID) -> None:
        cell = self._pool.of(user_id)
        if cell is not None:
            await self._pool.discard(cell)
