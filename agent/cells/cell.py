"""One cell: an OpenClaw gateway in its sandbox, bound to at most one person in its life.

What it may be after what is in agent.cells.states.
"""

import asyncio
import secrets
import threading
import time
from collections.abc import Mapping
from uuid import UUID

import structlog

from agent.cells import failure_reasons
from agent.cells.boot import start
from agent.cells.boot.spec import CellSpec
from agent.cells.host.cell_paths import CellPaths
from agent.cells.host.disk import Disk
from agent.cells.host.disk_usage import Taken
from agent.cells.host.process import CellProcess
from agent.cells.io.answer import ask
from agent.cells.io.gateway import Gateway, GatewayFailed, Question, wait_until_ready
from agent.cells.io.sockets import CellSockets
from agent.cells.ports import CellPorts
from agent.cells.states import ENDS, State, moved
from agent.files import CellFiles
from agent.memory import Shown
from agent.meter.call_ledger import CallLedger
from agent.meter.server import MeterPort
from agent.state import BLANK, STANDING, Known, Restored
from agent.turn import AgentFailed, Turn, Watcher

log = structlog.get_logger()

# When the request to the gateway is closed, the model call ends within this, or the cell does.
HANG_UP_SECONDS = 3


class Cell:
    """One cell. It lives on the runtime's event loop; nothing here is safe from other threads."""

    def __init__(self, spec: CellSpec, place: CellPaths, disk: Disk) -> None:
        self._state = State.BOOTING
        self.user_id: UUID | None = None
        # What is known of its files, as of the version that they are at; and the version before
        # that, if it saved the newest itself.
        self.known = BLANK
        self.previous_version = 0
        self.is_saved = True
        # The files that each turn looks at, as they were saved; None once a turn may change them.
        self.standing: Mapping[str, bytes] | None = None
        # What MEMORY.md told when the last turn began.
        self.shown: Shown | None = None
        self.place = place
        self.last_used = time.monotonic()
        # How many turns it has answered; and what its processes had when last looked at, in bytes.
        self.turns = 0
        self.resident_bytes = 0
        # How often in a row it did not say that it is well.
        self.misses = 0
        self._is_too_large = False
        self._has_too_many_files = False
        # Held while a turn runs or its files are read.
        self.lock = asyncio.Lock()
        self._spec = spec
        self._disk = disk
        self._sockets = CellSockets(place)
        self._gateway = Gateway(self._sockets.gateway, secrets.token_urlsafe(32))
        self.files = CellFiles(self._sockets.files)
        self._process: CellProcess | None = None
        self._ports = CellPorts(spec, place, self._sockets, self.files)
        self._listening: asyncio.Task[None] | None = None

    @property
    def state(self) -> State:
        return self._state

    @property
    def pid(self) -> int | None:
        """The process that holds all of the cell."""
        return self._process.pid if self._process else None

    @property
    def was_booted(self) -> bool:
        return self._process is not None

    @property
    def is_alive(self) -> bool:
        return self._process is not None and not self._process.gone.is_set()

    @property
    def is_spare(self) -> bool:
        return self._state is State.SPARE

    @property
    def is_idle(self) -> bool:
        """Somebody's, not at work, and nothing in it that is not saved."""
        return self._state is State.HOT and self.is_saved and not self.lock.locked()

    @property
    def is_warmed(self) -> bool:
        """Somebody's, with their files, and never asked anything yet."""
        return self._state is State.HOT and self.turns == 0

    @property
    def is_due_for_recycle(self) -> bool:
        """It has answered so much, or grown so large, that a new one is better."""
        settings = self._spec.settings
        most_bytes = settings.cell_memory_recycle_mb * 1024 * 1024
        return self.turns >= settings.cell_max_turns or self.resident_bytes > most_bytes

    @property
    def version(self) -> int:
        """The saved version that its files are at; 0 for a new person's."""
        return self.known.state.version

    def raise_priority(self) -> None:
        """Boot at full speed from now on: somebody waits for it."""
        if self._process is not None:
            self._process.raise_priority()

    async def boot(self) -> None:
        """Start OpenClaw, wait until it takes turns, and warm it up. Raises CellFailed."""
        started = time.monotonic()
        meter_token, tools_token = await self._ports.open()
        tokens = start.Tokens(self._gateway.token, meter_token, tools_token)
        process = await start.start(self._spec, self.place, self._sockets, tokens)
        self._process = process
        await start.or_fail(process, wait_until_ready(self._gateway, start.BOOT_SECONDS))
        self._move(State.WARMING)
        self._listening = asyncio.create_task(self._listen())
        await start.or_fail(process, start.warm_up(self._gateway))
        self.raise_priority()
        self._move(State.SPARE)
        log.info("cell.spare", pid=self.pid, seconds=round(time.monotonic() - started, 1))

    def reserve(self, user_id: UUID) -> None:
        """Make the cell this person's, for good; refused unless it is a blank spare."""
        if not self.is_spare or self.user_id is not None:
            raise RuntimeError("Only a blank spare can become somebody's.")
        self._require_process().mute_logs()
        self.user_id = user_id
        self._move(State.BINDING)

    async def bind(self, restored: Restored) -> None:
        """Put the person's files in place. Raises FilesFailed."""
        standing = {
            STANDING[file.path]: file.data for file in restored.files if file.path in STANDING
        }
        generation = await self.files.put_state(restored.files)
        self.known = Known(restored.state, restored.tree, generation, standing)
        self.previous_version = restored.state.version
        # A new person has none yet: then the first turn looks for itself.
        self.standing = standing or None
        self.last_used = time.monotonic()
        self._move(State.HOT)

    def mark_saved(self, known: Known) -> None:
        """Note that what is in the cell is stored as the version of `known`."""
        self.previous_version, self.known = self.version, known
        self.standing = known.standing
        self.is_saved = True

    async def answer(
        self,
        question: Question,
        turn: Turn,
        watcher: Watcher,
        books: CallLedger,
        stop: threading.Event,
    ) -> str:
        """Have the question answered, telling `watcher` as it goes. Raises AgentFailed."""
        port = self._ports.meter
        self._move(State.BUSY)
        self.turns += 1
        self.is_saved = False
        self.standing = None
        self._gateway.on_tool = watcher.tool
        port.begin(turn, books, watcher.thought)
        tools = self._ports.tools
        tools.begin(turn)
        try:
            await self._gateway.follow(question.session_key)
            text = await ask(
                self._gateway,
                question,
                watcher,
                stop=stop,
                gone=self._require_process().gone,
                is_stuck=lambda: port.silent_seconds > self._spec.settings.cell_silent_seconds,
                limit_seconds=self._spec.settings.job_time_limit_seconds,
            )
        except GatewayFailed as error:
            raise await self._reason(error, turn, stop) from error
        finally:
            self._gateway.on_tool = None
            tools.end()
            await self._hang_up(port)
        if port.cut_short is not None:
            # OpenClaw takes it for a whole answer.
            raise port.cut_short
        return text

    async def end(self, grace_seconds: float = 0) -> None:
        """End all that runs in the cell; its folder may be removed then."""
        if self._state not in ENDS:
            self._move(State.DRAINING)
        await self._gateway.close()
        await self.files.close()
        if self._listening is not None:
            self._listening.cancel()
        if self._process is not None:
            await self._process.end(grace_seconds)
        await self._ports.close()
        self._sockets.close()
        if self._state is not State.GONE:
            self._move(State.GONE)

    async def check(self) -> None:
        """Ask whether it is well, and count in `misses` how often in a row it did not say so."""
        self.misses = 0 if await self._gateway.is_ready() else self.misses + 1

    async def kill_oom(self) -> None:
        """End what runs in it at once because it takes too much memory; a turn fails of that."""
        log.warning("cell.too_large", pid=self.pid, resident_bytes=self.resident_bytes)
        self._is_too_large = True
        await self._require_process().end(0)

    async def overflow(self, found: Taken) -> None:
        """End what runs in it because it fills the disk; a turn fails of that."""
        log.warning(
            "cell.too_many_files",
            pid=self.pid,
            files=found.files,
            size_bytes=found.size_bytes,
            levels=found.levels,
        )
        self._has_too_many_files = True
        await self._require_process().end(0)

    def _move(self, new: State) -> None:
        self._state = moved(self._state, new)
        log.debug("cell.moved", pid=self.pid, to=new.value)

    async def _listen(self) -> None:
        try:
            await self._gateway.listen()
        except GatewayFailed as error:
            # Turns go on without the names of the tools in use.
            log.warning("cell.unheard", pid=self.pid, error=str(error))

    async def _reason(self, error: GatewayFailed, turn: Turn, stop: threading.Event) -> AgentFailed:
        """Find out why a turn failed: the meter knows better than OpenClaw tells."""
        trouble = self._ports.meter.trouble
        if trouble is not None:
            return trouble
        if not await failure_reasons.is_dead(error, self._require_process().gone, stop):
            return failure_reasons.of_living(error, turn, self._disk, self.pid)
        return failure_reasons.of_dead(
            self._require_process(),
            has_too_many_files=self._has_too_many_files,
            is_too_large=self._is_too_large,
        )

    async def _hang_up(self, port: MeterPort) -> None:
        """Settle the turn's calls; a cell that does not let go of them is ended."""
        self.last_used = time.monotonic()
        settling = asyncio.create_task(port.end())
        await asyncio.wait({settling}, timeout=HANG_UP_SECONDS)
        if not settling.done() and self._process is not None:
            log.warning("cell.clinging", pid=self.pid)
            await self._process.end(0)
        await settling
        # Meanwhile somebody else may have begun to end it.
        if self._state is State.BUSY:
            self._move(State.HOT if self.is_alive else State.GONE)

    def _require_process(self) -> CellProcess:
        if self._process is None:
            raise RuntimeError("The cell was never booted.")
        return self._process
