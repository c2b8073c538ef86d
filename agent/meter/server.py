"""The meter's door: one unix socket per cell, so a call's cell is known by where it came in."""

import asyncio
import hmac
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

import structlog
from aiohttp import web

from agent import catalogue
from agent.catalogue import WIRES, Model, Wire
from agent.meter import canned
from agent.meter.books import Books
from agent.meter.call import MeteredCall, Tools
from agent.meter.upstream import EVENT_STREAM, Providers
from agent.meter.wires import FORMATS, Body
from agent.prices import Prices
from agent.turn import AgentFailed, Turn
from settings import Settings

log = structlog.get_logger()

# A request holds the whole conversation, with its pictures.
LARGEST_REQUEST_BYTES = 64 * 1024 * 1024
# Without a turn there is nobody to pay; OpenClaw takes this as final and stays usable.
NO_TURN = "There is no message to answer."
WRONG_MODEL = "This model is not the one that was chosen for this message."


@dataclass
class RunningTurn:
    """The turn that a port's calls belong to, and what they have used so far."""

    turn: Turn
    books: Books
    calls: int = 0
    spent_micros: int = 0
    # Why a call of this turn was refused or failed: OpenClaw itself tells it in no useful way.
    trouble: AgentFailed | None = None
    # Calls that are being settled. A turn is over when the last is.
    open_calls: set[asyncio.Task[None]] = field(default_factory=set[asyncio.Task[None]])


class MeterPort:
    """The socket of one cell. Between `begin` and `end` its calls are the turn's."""

    def __init__(self, socket_path: Path, token: str, tools: Tools) -> None:
        self.socket_path = socket_path
        # A spare may be warmed up until its first turn begins; then the canned answers end.
        self.is_warming = True
        self._token = token
        self._tools = tools
        self._running: RunningTurn | None = None
        self._runner: web.AppRunner | None = None

    @property
    def trouble(self) -> AgentFailed | None:
        """Why the last call of the running turn was refused or failed, if one was."""
        return self._running.trouble if self._running else None

    def begin(self, turn: Turn, books: Books) -> None:
        """Let the cell's calls be those of `turn` from now on."""
        self.is_warming = False
        self._running = RunningTurn(turn, books)

    async def end(self) -> None:
        """Let the cell make no more calls; return when all of the turn's are settled."""
        running, self._running = self._running, None
        while running is not None and running.open_calls:
            await asyncio.wait(set(running.open_calls))

    async def listen(self) -> None:
        """Open the socket. Anyone who may reach it still needs the token."""
        # Without handler_cancellation a cell that hangs up would leave its call running.
        app = web.Application(client_max_size=LARGEST_REQUEST_BYTES)
        app.router.add_post("/{provider}/{path:.+}", self._take)
        self._runner = web.AppRunner(app, handler_cancellation=True, access_log=None)
        await self._runner.setup()
        await web.UnixSite(self._runner, str(self.socket_path)).start()

    async def close(self) -> None:
        """Close the socket; calls under way are cut and settled."""
        if self._runner is not None:
            await self._runner.cleanup()
        await self.end()

    async def _take(self, request: web.Request) -> web.StreamResponse:
        if not hmac.compare_digest(_token_of(request).encode(), self._token.encode()):
            return web.json_response({"error": {"message": "Wrong token."}}, status=401)
        provider = request.match_info["provider"]
        if provider not in WIRES:
            raise web.HTTPNotFound
        wire = WIRES[provider]
        try:
            body = cast(Body, await request.json())
        except ValueError:
            return self._refuse(wire, "The request is not JSON.")
        running = self._running
        if running is None:
            return await self._take_without_turn(request, wire, body)
        model = self._model(provider, request, body)
        if model is None or model.id != running.turn.model:
            return self._refuse(wire, WRONG_MODEL)
        return await MeteredCall(self._tools, running, model, body).answer(request)

    async def _take_without_turn(
        self, request: web.Request, wire: Wire, body: Body
    ) -> web.StreamResponse:
        if not self.is_warming:
            log.warning("meter.stray_call", path=request.path)
            return self._refuse(wire, NO_TURN)
        return web.Response(body=canned.answer(wire, body), content_type=EVENT_STREAM)

    def _model(self, provider: str, request: web.Request, body: Body) -> Model | None:
        name = body.get("model")
        if provider == "gemini" or "/models/" in request.path:
            name = request.path.rpartition("/models/")[2].partition(":")[0]
        return catalogue.find(self._tools.settings, f"{provider}/{name}")

    def _refuse(self, wire: Wire, message: str) -> web.Response:
        return web.json_response(FORMATS[wire].refusal(message), status=422)


class Meter:
    """All the ports of one worker, and the connections to the providers that they share."""

    def __init__(self, settings: Settings) -> None:
        self._tools = Tools(settings, Prices(settings), Providers(settings))

    async def listen(self, socket_path: Path, token: str) -> MeterPort:
        """Open a port for one cell at `socket_path`."""
        port = MeterPort(socket_path, token, self._tools)
        await port.listen()
        return port

    async def close(self) -> None:
        """Close the connections to the providers; the ports are closed by who opened them."""
        await self._tools.providers.aclose()


def _token_of(request: web.Request) -> str:
    """Each format has its own header for the key."""
    headers = request.headers
    bearer = headers.get("Authorization", "").removeprefix("Bearer ")
    return headers.get("x-api-key") or headers.get("x-goog-api-key") or bearer
