"""One cell: an OpenClaw gateway in its sandbox, bound to at most one person in its life.

booting -> warming -> spare -> hot <-> busy
any of them -> gone
"""

import asyncio
import json
import secrets
import threading
import time
from collections.abc import Coroutine, Mapping
from enum import StrEnum
from typing import Any
from uuid import UUID

import structlog

from agent.cells import config
from agent.cells.asking import ask, cancelled
from agent.cells.config import WARM_UP, Wiring
from agent.cells.doors import Doors, free_port
from agent.cells.files import CellFiles
from agent.cells.gateway import Gateway, GatewayFailed, Question, wait_until_ready
from agent.cells.kit import Kit
from agent.cells.process import CellProcess
from agent.cells.sandbox import Inside, Place
from agent.meter.books import Books
from agent.meter.canned import TOOL_MARK
from agent.meter.server import MeterPort
from agent.state import BLANK, STANDING, Known, Restored
from agent.turn import AgentFailed, Turn, Watcher

log = structlog.get_logger()

BOOT_SECONDS = 180
WARM_UP_SECONDS = 60
# When the request to the gateway is closed, the model call ends within this, or the cell does.
HANG_UP_SECONDS = 3
GRACE_MS = 3000
LINES_SHOWN = 8

DIED = "Your assistant was interrupted. Please try again."
NO_ANSWER = "Your assistant gave no answer. Please try again."


class State(StrEnum):
    BOOTING = "booting"
    WARMING = "warming"
    SPARE = "spare"
    HOT = "hot"
    BUSY = "busy"
    GONE = "gone"


class CellFailed(Exception):
    """A cell did not come up."""


class Cell:
    """One cell. It lives on the runtime's event loop; nothing here is safe from other threads."""

    def __init__(self, kit: Kit, place: Place) -> None:
        self.state = State.BOOTING
        self.user_id: UUID | None = None
        # What is known of its files, as of the version that they are at; and the version before
        # that, if it saved the newest itself.
        self.known = BLANK
        self.previous_version = 0
        self.is_saved = True
        # The files that each turn looks at, as they were saved; None once a turn may change them.
        self.standing: Mapping[str, bytes] | None = None
        self.place = place
        self.last_used = time.monotonic()
        # Held while a turn runs or its files are read.
        self.lock = asyncio.Lock()
        self._kit = kit
        self._doors = Doors(place)
        self._gateway = Gateway(self._doors.gateway, secrets.token_urlsafe(32))
        self.files = CellFiles(self._doors.files)
        self._process: CellProcess | None = None
        self._port: MeterPort | None = None
        self._listening: asyncio.Task[None] | None = None

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
        return self.state is State.SPARE

    @property
    def is_idle(self) -> bool:
        """Somebody's, not at work, and nothing in it that is not saved."""
        return self.state is State.HOT and self.is_saved and not self.lock.locked()

    @property
    def version(self) -> int:
        """The saved version that its files are at; 0 for a new person's."""
        return self.known.state.version

    def hurry(self) -> None:
        """Boot at full speed from now on: somebody waits for it."""
        if self._process is not None:
            self._process.hurry()

    async def boot(self) -> None:
        """Start OpenClaw, wait until it takes turns, and warm it up. Raises CellFailed."""
        started = time.monotonic()
        meter_token = secrets.token_urlsafe(32)
        inside = self._kit.sandbox.inside(self.place, self._kit.engine)
        wiring = self._wiring(inside, meter_token)
        self._write_config(wiring)
        self._port = await self._kit.meter.listen(self._doors.meter, meter_token)
        self.place.give(self._doors.meter, self._kit.sandbox.mode)
        self._process = await self._start(inside, wiring)
        await self._or_fail(wait_until_ready(self._gateway, BOOT_SECONDS))
        self.state = State.WARMING
        await self._or_fail(self._warm_up())
        self.hurry()
        self.state = State.SPARE
        log.info("cell.spare", pid=self.pid, seconds=round(time.monotonic() - started, 1))

    def reserve(self, user_id: UUID) -> None:
        """Make the cell this person's, for good; refused unless it is a blank spare."""
        if not self.is_spare or self.user_id is not None:
            raise RuntimeError("Only a blank spare can become somebody's.")
        self._require_process().keep_private()
        self.user_id = user_id
        self.state = State.BUSY

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
        self.state = State.HOT

    def was_saved(self, known: Known) -> None:
        """Note that what is in the cell is stored as the version of `known`."""
        self.previous_version, self.known = self.version, known
        self.standing = known.standing
        self.is_saved = True

    async def answer(
        self,
        question: Question,
        turn: Turn,
        watcher: Watcher,
        books: Books,
        stop: threading.Event,
    ) -> str:
        """Have the question answered, telling `watcher` as it goes. Raises AgentFailed."""
        port = self._require_port()
        self.state = State.BUSY
        self.is_saved = False
        self.standing = None
        self._gateway.on_tool = watcher.tool
        port.begin(turn, books)
        try:
            await self._gateway.follow(question.session_key)
            text = await ask(
                self._gateway,
                question,
                watcher,
                stop=stop,
                gone=self._require_process().gone,
                limit_seconds=self._kit.settings.job_time_limit_seconds,
            )
        except GatewayFailed as error:
            raise await self._reason(error) from error
        finally:
            self._gateway.on_tool = None
            await self._hang_up(port)
        return text

    async def end(self, grace_seconds: float = 0) -> None:
        """End all that runs in the cell; its folder may be removed then."""
        self.state = State.GONE
        await self._gateway.close()
        await self.files.close()
        if self._listening is not None:
            self._listening.cancel()
        if self._process is not None:
            await self._process.end(grace_seconds)
        if self._port is not None:
            await self._port.close()
        self._doors.close()

    def _wiring(self, inside: Inside, meter_token: str) -> Wiring:
        own_network = self._kit.sandbox.mode.has_namespaces
        return Wiring(
            gateway_token=self._gateway.token,
            meter_token=meter_token,
            gateway_port=config.GATEWAY_PORT if own_network else free_port(),
            meter_port=config.METER_PORT if own_network else free_port(),
            home=inside.home,
        )

    def _write_config(self, wiring: Wiring) -> None:
        path = self.place.state / config.CONFIG_FILE
        wanted = config.openclaw_config(wiring, self._kit.models, self._kit.default_model)
        path.write_text(json.dumps(wanted))
        path.chmod(0o600)
        self.place.give(path, self._kit.sandbox.mode)

    async def _start(self, inside: Inside, wiring: Wiring) -> CellProcess:
        gateway_fd, files_fd = self._doors.handed_down
        relay = {
            "home": inside.home,
            "meterSocket": inside.meter_socket,
            "meterPort": wiring.meter_port,
            "gatewayPort": wiring.gateway_port,
            "gatewayFd": gateway_fd,
            "filesFd": files_fd,
            "graceMs": GRACE_MS,
        }
        program = [inside.node, inside.relay, inside.node, inside.openclaw, "gateway", "run"]
        process = await CellProcess.start(
            self._kit.sandbox.command(self.place, self._kit.engine, program),
            folder=self.place.state,
            environment=config.environment(inside, relay),
            descriptors=(gateway_fd, files_fd),
            mode=self._kit.sandbox.mode,
            uid=self.place.uid,
        )
        self._doors.hand_over()
        return process

    async def _warm_up(self) -> None:
        """Make OpenClaw load what it loads only when first used; the meter answers for free."""
        self._listening = asyncio.create_task(self._listen())
        question = Question(WARM_UP, "warm-up", TOOL_MARK)
        async with asyncio.timeout(WARM_UP_SECONDS):
            async for _ in self._gateway.ask(question):
                pass

    async def _listen(self) -> None:
        try:
            await self._gateway.listen()
        except GatewayFailed as error:
            # Turns go on without the names of the tools in use.
            log.warning("cell.unheard", pid=self.pid, error=str(error))

    async def _or_fail(self, waiting: Coroutine[Any, Any, None]) -> None:
        """Await a step of the boot, but no longer than the cell lives."""
        process = self._require_process()
        steps = asyncio.create_task(waiting)
        dying = asyncio.create_task(process.gone.wait())
        try:
            await asyncio.wait({steps, dying}, return_when=asyncio.FIRST_COMPLETED)
            if not steps.done():
                raise CellFailed(f"it ended with {process.exit_code}: {self._last_lines()}")
            steps.result()
        except (TimeoutError, GatewayFailed) as error:
            raise CellFailed(f"{error!r}: {self._last_lines()}") from error
        finally:
            await cancelled(steps)
            await cancelled(dying)

    def _last_lines(self) -> str:
        lines = list(self._process.lines)[-LINES_SHOWN:] if self._process else []
        return " / ".join(lines)

    async def _reason(self, error: GatewayFailed) -> AgentFailed:
        """Find out why a turn failed: the meter knows better than OpenClaw tells."""
        trouble = self._require_port().trouble
        if trouble is not None:
            return trouble
        try:
            # The connection breaks a moment before the process is known to be gone.
            async with asyncio.timeout(1):
                await self._require_process().gone.wait()
        except TimeoutError:
            log.warning("turn.unanswered", pid=self.pid, error=str(error))
            return AgentFailed("no_answer", NO_ANSWER, permanent=False)
        log.warning("cell.died", pid=self.pid, exit_code=self._require_process().exit_code)
        return AgentFailed("cell_died", DIED, permanent=False)

    async def _hang_up(self, port: MeterPort) -> None:
        """Settle the turn's calls; a cell that does not let go of them is ended."""
        self.last_used = time.monotonic()
        settling = asyncio.create_task(port.end())
        await asyncio.wait({settling}, timeout=HANG_UP_SECONDS)
        if not settling.done() and self._process is not None:
            log.warning("cell.clinging", pid=self.pid)
            await self._process.end(0)
        await settling
        self.state = State.HOT if self.is_alive else State.GONE

    def _require_process(self) -> CellProcess:
        if self._process is None:
            raise RuntimeError("The cell was never booted.")
        return self._process

    def _require_port(self) -> MeterPort:
        if self._port is None:
            raise RuntimeError("The cell was never booted.")
        return self._port
