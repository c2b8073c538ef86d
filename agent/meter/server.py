"""The meter's server: one unix socket per cell, so a call's cell is known by where it came in."""

import asyncio
import hmac
import re
from pathlib import Path

import structlog
from aiohttp import web

from agent import catalogue
from agent.catalogue import WIRES, Provider, Wire
from agent.meter import warmup_responses
from agent.meter.call import MeteredCall, Tools
from agent.meter.call_ledger import CallLedger
from agent.meter.intake import MOST_WARM_UP_BYTES, Asked, Intake, json_object, parsed
from agent.meter.prefixes import Prefixes
from agent.meter.running import RunningTurn
from agent.meter.scan import TooMuch
from agent.meter.shapes import NotAllowed
from agent.meter.sockets import Listener
from agent.meter.upstream import EVENT_STREAM, Providers
from agent.meter.wires import FORMATS
from agent.prices import Prices
from agent.turn import AgentFailed, Turn, TurnFailure
from settings import Settings

log = structlog.get_logger()

# OpenClaw makes one at a time.
MOST_CALLS_AT_ONCE = 4
# What is refused unread is not refused at once: a cell that asks in a loop would keep us busy.
UNREAD_SECONDS = 0.1
# How a path begins, and whose it is.
PROVIDERS_BY_PATH: dict[str, Provider] = {
    "anthropic": "anthropic",
    "openai": "openai",
    "google": "gemini",
    "compatible": "compatible",
    "demo": "demo",
}
# How it goes on. Our keys could do much else, so nothing else is let through.
PATHS: dict[Wire, re.Pattern[str]] = {
    "anthropic-messages": re.compile(r"v1/messages"),
    "openai-responses": re.compile(r"v1/responses"),
    "openai-completions": re.compile(r"v1/chat/completions"),
    "google-generative-ai": re.compile(
        r"v1beta/models/(?P<model>[^/:]+):(?P<verb>generateContent|streamGenerateContent)"
    ),
}

# What the cell is told; users read the turn's failure instead.
NOT_SERVED = "Only answers of models are served here."
NOT_JSON = "The request is not a JSON object."
# By these words OpenClaw knows that it should shorten a conversation, and try again.
SHORTEN = "request_too_large: prompt is too long"
# OpenClaw tries again with less when a request was refused, but not for ever.
MOST_TURNED_DOWN = 20
AT_ONCE = "There are too many calls at once."
# Without a turn there is nobody to pay; OpenClaw takes this as final and stays usable.
NO_TURN = "There is no message to answer."
WRONG_MODEL = "This model is not the one that was chosen for this message."


class MeterPort:
    """The socket of one cell. Between `begin` and `end` its calls are the turn's."""

    def __init__(self, socket_path: Path, token: str, tools: Tools) -> None:
        self.socket_path = socket_path
        # A spare may be warmed up until its first turn begins; then the canned answers end.
        self.is_warming = True
        self._token = token
        self._tools = tools
        self._running: RunningTurn | None = None
        self._prefixes = Prefixes()
        # The running one, or the one before.
        self._latest: RunningTurn | None = None
        self._intake = Intake()
        self._has_strayed = False
        self._listener = Listener(self._take)

    @property
    def trouble(self) -> AgentFailed | None:
        """Why the last call of the running turn was refused or failed, if one was."""
        return self._running.trouble if self._running else None

    @property
    def silent_seconds(self) -> float:
        """How long the running turn has neither made a call nor taken an answer."""
        return self._running.silent_seconds if self._running else 0.0

    @property
    def cut_short(self) -> AgentFailed | None:
        """Why the answer of the latest turn ended early, if the money for it did."""
        return self._latest.cut_short if self._latest else None

    def begin(self, turn: Turn, books: CallLedger) -> None:
        """Let the cell's calls be those of `turn` from now on."""
        self.is_warming = False
        self._running = self._latest = RunningTurn(turn, books, prefixes=self._prefixes)

    async def end(self) -> None:
        """Let the cell make no more calls, cut those under way; return when all are settled."""
        running, self._running = self._running, None
        if running is not None:
            await running.end()

    async def listen(self) -> None:
        """Open the socket. Anyone who may reach it still needs the token."""
        await self._listener.open(self.socket_path)

    async def close(self) -> None:
        """Close the socket; calls under way are cut and settled."""
        await self.end()
        await self._listener.close()

    async def _take(self, request: web.Request) -> web.StreamResponse:
        if not hmac.compare_digest(_token_of(request).encode(), self._token.encode()):
            return web.json_response({"error": {"message": "Wrong token."}}, status=401)
        provider = PROVIDERS_BY_PATH.get(request.match_info["provider"])
        if provider is None:
            raise web.HTTPNotFound
        wire = WIRES[provider]
        asked = PATHS[wire].fullmatch(request.match_info["path"])
        if asked is None:
            return _refuse(wire, NOT_SERVED)
        if self._running is None:
            return await self._take_without_turn(request, wire)
        running = self._running
        if (refusal := _unread(running)) is not None:
            await asyncio.sleep(UNREAD_SECONDS)
            return _refuse(wire, refusal)
        running.track_request(asyncio.current_task())
        return await self._take_in_turn(running, request, provider, asked.groupdict())

    async def _take_in_turn(
        self,
        running: RunningTurn,
        request: web.Request,
        provider: Provider,
        in_path: dict[str, str],
    ) -> web.StreamResponse:
        wire = WIRES[provider]
        size = 0
        try:
            document = await self._intake.read(request)
            size = len(document)
            asked = await parsed(wire, document)
            # Its pictures are in memory twice until here.
            del document
            return await self._meter(running, request, provider, asked, in_path)
        except TooMuch as error:
            _turn_down(running, error, TurnFailure.CONVERSATION_TOO_LARGE)
            return _refuse(wire, SHORTEN)
        except NotAllowed as error:
            _turn_down(running, error, TurnFailure.CONTENT_NOT_SENT)
            return _refuse(wire, TurnFailure.CONTENT_NOT_SENT)
        except ValueError:
            running.turned_down += 1
            return _refuse(wire, NOT_JSON)
        finally:
            self._intake.release(size)

    async def _meter(
        self,
        running: RunningTurn,
        request: web.Request,
        provider: Provider,
        asked: Asked,
        in_path: dict[str, str],
    ) -> web.StreamResponse:
        body = asked.body
        model_id = f"{provider}/{in_path.get('model') or body.get('model')}"
        model = catalogue.find(self._tools.settings, model_id)
        if model is None or model.id != running.turn.model:
            running.turned_down += 1
            return _refuse(WIRES[provider], WRONG_MODEL)
        if asked.left_out:
            # Of a newer OpenClaw, it may be something that it needs.
            log.info("meter.left_out", model=model.id, fields=asked.left_out)
        is_stream = in_path.get("verb") == "streamGenerateContent" or bool(body.get("stream"))
        call = MeteredCall(self._tools, running, model, asked)
        return await call.answer(request, is_stream=is_stream)

    async def _take_without_turn(self, request: web.Request, wire: Wire) -> web.StreamResponse:
        if not self.is_warming:
            self._note_stray()
            await asyncio.sleep(UNREAD_SECONDS)
            return _refuse(wire, NO_TURN)
        size = 0
        try:
            document = await self._intake.read(request, MOST_WARM_UP_BYTES)
            size = len(document)
            body = await asyncio.to_thread(json_object, document)
        except (TooMuch, NotAllowed, ValueError):
            return _refuse(wire, NOT_JSON)
        finally:
            self._intake.release(size)
        return web.Response(body=warmup_responses.answer(wire, body), content_type=EVENT_STREAM)

    def _note_stray(self) -> None:
        """Say once of a cell that it asks when nobody is there."""
        if not self._has_strayed:
            log.warning("meter.stray_call")
        self._has_strayed = True


class Meter:
    """All the ports of one worker, and the connections to the providers that they share."""

    def __init__(self, settings: Settings, prices: Prices) -> None:
        self._settings = settings
        self._providers = Providers(settings)
        self._tools = Tools(settings, prices, self._providers)
        self._loading: asyncio.Task[None] | None = None

    async def listen(self, socket_path: Path, token: str) -> MeterPort:
        """Open a port for one cell at `socket_path`."""
        if self._loading is None:
            # While the first cell boots; otherwise the first person would wait for it.
            self._loading = asyncio.create_task(self._load())
        port = MeterPort(socket_path, token, self._tools)
        await port.listen()
        return port

    async def close(self) -> None:
        """Close the connections to the providers; the ports are closed by who opened them."""
        if self._loading is not None:
            await asyncio.wait({self._loading})
        await self._providers.aclose()

    async def _load(self) -> None:
        for model in catalogue.models(self._settings):
            await self._providers.load(model.provider)


def _unread(running: RunningTurn) -> str | None:
    """Tell why a request of this turn need not even be read, if so."""
    if running.is_hopeless:
        return str(running.trouble)
    if running.turned_down >= MOST_TURNED_DOWN:
        return TurnFailure.TOO_MANY_CALLS
    return AT_ONCE if len(running.requests) >= MOST_CALLS_AT_ONCE else None


def _turn_down(running: RunningTurn, error: Exception, code: TurnFailure) -> None:
    """Note that a request must not go out; the turn fails of it, unless another one is better."""
    log.warning("meter.turned_down", job_id=str(running.turn.job_id), error=str(error))
    running.turned_down += 1
    running.trouble = AgentFailed(code, permanent=True)


def _refuse(wire: Wire, message: str) -> web.Response:
    return web.json_response(FORMATS[wire].refusal(message), status=422)


def _token_of(request: web.Request) -> str:
    """Each format has its own header for the key."""
    headers = request.headers
    bearer = headers.get("Authorization", "").removeprefix("Bearer ")
    return headers.get("x-api-key") or headers.get("x-goog-api-key") or bearer
