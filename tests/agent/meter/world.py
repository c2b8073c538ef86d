"""A meter between a cell and a provider, all on real sockets.

The provider is the demo model, which scripts make fail; the cell is a plain HTTP client on the
port's unix socket. Only the books are kept in memory here; tests/tasks has the real ones.
"""

import asyncio
import json
import threading
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from hashlib import sha256
from pathlib import Path
from typing import Any
from uuid import UUID

import aiohttp
from aiohttp import web
from pydantic import SecretStr
from uuid_utils.compat import uuid7

from agent.meter.call_ledger import Bound, ClosedCall, OpenCall, SizeHold
from agent.meter.server import Meter, MeterPort
from agent.prices import Prices
from agent.turn import Profile, Turn, TurnFailure
from embedded.demo_model.server import DemoModel, Options
from settings import Settings

TOKEN = "the-cell-s-own-token"
OUR_KEY = "our-secret-provider-key"
DOLLAR = 1_000_000
WAIT_SECONDS = 20

MODELS = {
    "anthropic": "anthropic/claude-sonnet-5-5",
    "openai": "openai/gpt-6.1-terra",
    "gemini": "gemini/gemini-3.8-flash",
    "compatible": "compatible/llama",
    "demo": "demo/demo",
}
PATHS = {
    "anthropic": "/anthropic/v1/messages",
    "openai": "/openai/v1/responses",
    "compatible": "/compatible/v1/chat/completions",
    "demo": "/demo/v1/chat/completions",
}
# Where the real one is asked, behind its base URL.
PROVIDER_PATHS = {
    "anthropic": "/v1/messages",
    "openai": "/v1/responses",
    "gemini": "/v1beta/models/gemini-3.8-flash:streamGenerateContent",
    "compatible": "/v1/chat/completions",
    "demo": "/v1/chat/completions",
}
KEY_HEADERS = {
    "anthropic": "authorization",
    "openai": "authorization",
    "gemini": "x-goog-api-key",
    "compatible": "authorization",
    "demo": "authorization",
}
PROVIDERS = list(MODELS)


@dataclass
class MemoryBooks:
    """Books in memory. `told` is what they were told, in order."""

    balance: int = DOLLAR
    # What one message may cost.
    limit: int = DOLLAR
    told: list[OpenCall | ClosedCall] = field(default_factory=list[OpenCall | ClosedCall])
    # Made to fail: how many times `close` raises before it works.
    failures: int = 0
    # While it is not set, `open` does not return.
    may_open: threading.Event = field(default_factory=threading.Event)
    opening: threading.Event = field(default_factory=threading.Event)
    held: dict[UUID, int] = field(default_factory=dict[UUID, int])
    # As the account's, in the books that are kept in a database.
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        self.may_open.set()

    @property
    def closed(self) -> list[ClosedCall]:
        return [one for one in self.told if isinstance(one, ClosedCall)]

    @property
    def opened(self) -> list[OpenCall]:
        return [one for one in self.told if isinstance(one, OpenCall)]

    def bounds(self) -> list[Bound]:
        held = sum(self.held.values())
        spent = sum(one.charge_micros for one in self.closed)
        return [
            Bound(TurnFailure.NO_CREDIT, self.balance - held),
            Bound(TurnFailure.MESSAGE_LIMIT, self.limit - spent - held),
        ]

    def open(self, call_id: UUID, model: str, fit: SizeHold) -> OpenCall:
        self.opening.set()
        assert self.may_open.wait(WAIT_SECONDS)
        with self._lock:
            self.held[call_id] = fit(self.bounds())
        call = OpenCall(call_id, model, self.held[call_id])
        self.told.append(call)
        return call

    def close(self, call: ClosedCall) -> None:
        if self.failures:
            self.failures -= 1
            raise ConnectionError("the database is away")
        held = self.held.pop(call.call_id)
        assert held, "only what is held can be closed, and once"
        self.balance -= min(call.charge_micros, held)
        self.told.append(call)


@dataclass
class World:
    """Everything around one port with a running turn."""

    settings: Settings
    meter: Meter
    port: MeterPort
    books: MemoryBooks
    cell: aiohttp.ClientSession
    provider: aiohttp.ClientSession
    name: str
    folder: Path
    others: list["World"] = field(default_factory=list["World"])

    async def another(self) -> "World":
        """A further cell of the same worker; no turn has begun there."""
        path = self.folder / f"meter-{len(self.others)}"
        port = await self.meter.listen(path, TOKEN)
        cell = aiohttp.ClientSession(connector=aiohttp.UnixConnector(str(path)))
        self.others.append(replace(self, port=port, cell=cell))
        return self.others[-1]

    def request(self, text: str, *, is_stream: bool = True, cap: int = 500) -> dict[str, Any]:
        """What OpenClaw would send in this provider's format."""
        return _BODIES[self.name](text, is_stream, cap)

    def path(self, *, is_stream: bool = True) -> str:
        if self.name == "gemini":
            verb = "streamGenerateContent?alt=sse" if is_stream else "generateContent"
            return f"/google/v1beta/models/gemini-3.8-flash:{verb}"
        return PATHS[self.name]

    def post(self, body: dict[str, Any], *, is_stream: bool = True, token: str = TOKEN) -> Any:
        headers = {"x-api-key": token, "User-Agent": "OpenClaw", "traceparent": "00-1-2-01"}
        url = f"http://cell{self.path(is_stream=is_stream)}"
        return self.cell.post(url, json=body, headers=headers)

    async def ask(self, text: str, *, is_stream: bool = True, cap: int = 500) -> tuple[int, bytes]:
        """Make one call as a cell and read the whole answer."""
        body = self.request(text, is_stream=is_stream, cap=cap)
        async with self.post(body, is_stream=is_stream) as response:
            return response.status, await response.read()

    async def recorded(self) -> list[dict[str, Any]]:
        """What reached the provider."""
        async with self.provider.get("/_recorded") as response:
            return await response.json()

    async def reached(self, how: str = "", count: int = 1) -> list[dict[str, Any]]:
        """Wait until the provider has this many requests, the last of them ended like `how`."""
        async with asyncio.timeout(WAIT_SECONDS):
            while True:
                recorded = await self.recorded()
                if len(recorded) >= count and how in ("", recorded[-1]["ended"]):
                    return recorded
                await asyncio.sleep(0.01)

    async def release(self) -> None:
        """Let go of the answers that the provider holds."""
        await (await self.provider.post("/_release")).release()

    async def settled(self, count: int = 1) -> list[ClosedCall]:
        """Wait until this many calls are closed."""
        await eventually(lambda: len(self.books.closed) >= count)
        return self.books.closed


async def eventually(holds: Callable[[], bool]) -> None:
    """Wait for a condition, and fail when it does not come true."""
    async with asyncio.timeout(WAIT_SECONDS):
        while not holds():  # noqa: ASYNC110  # what is waited for has no event
            await asyncio.sleep(0.01)


def key_hash() -> str:
    return sha256(OUR_KEY.encode()).hexdigest()


def events(raw: bytes) -> list[dict[str, Any]]:
    """The JSON of an event stream."""
    lines = [line[5:] for line in raw.decode().splitlines() if line.startswith("data:")]
    return [json.loads(line) for line in lines if line.strip() != "[DONE]"]


def turn(model: str, **changes: Any) -> Turn:
    usual = Turn(
        job_id=uuid7(),
        attempt=1,
        user_id=uuid7(),
        conversation_id=uuid7(),
        text="",
        attachments=(),
        model=model,
        profile=Profile("Ada", "UTC", ""),
        recent=(),
        states=(),
    )
    return replace(usual, **changes)


def settings(name: str, url: str, **changes: Any) -> Settings:
    """One provider with our key, at the demo model's address."""
    base_urls: dict[str, Any] = {
        "anthropic": {"anthropic_base_url": url},
        "openai": {"openai_base_url": f"{url}/v1"},
        "gemini": {"gemini_base_url": url},
        "compatible": {"compatible_base_url": f"{url}/v1", "compatible_models": ("llama",)},
        "demo": {"demo_model_url": url},
    }
    given: dict[str, Any] = {
        "secret_key": SecretStr("a-secret-key-that-only-tests-know"),
        "database_url": SecretStr("postgresql://nowhere"),
        "redis_url": SecretStr("redis://nowhere"),
        "demo_model_url": None,
        "price_overrides": {"compatible/llama": {"input": "1", "output": "4"}},
        **base_urls[name],
        **({} if name == "demo" else {f"{name}_api_key": SecretStr(OUR_KEY)}),
    }
    return Settings(_env_file=None, **{**given, **changes})  # pyright: ignore[reportCallIssue]


@asynccontextmanager
async def world(folder: Path, name: str = "anthropic", **changes: Any) -> AsyncGenerator[World]:
    """Start the provider and the meter; the cell's turn has begun."""
    options = Options(pause_seconds=0, is_scriptable=True, is_recording=True)
    runner = web.AppRunner(
        DemoModel(options).app(), handler_cancellation=True, shutdown_timeout=0.1
    )
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    given = settings(name, url, **changes)
    meter = Meter(given, Prices(given))
    port = await meter.listen(folder / "meter", TOKEN)
    connector = aiohttp.UnixConnector(str(folder / "meter"))
    async with (
        aiohttp.ClientSession(connector=connector) as cell,
        aiohttp.ClientSession(url) as provider,
    ):
        books = MemoryBooks()
        port.begin(turn(MODELS[name]), books)
        begun = World(given, meter, port, books, cell, provider, name, folder)
        try:
            yield begun
        finally:
            for other in begun.others:
                await other.cell.close()
                await other.port.close()
            await port.close()
            await meter.close()
            await runner.cleanup()


def run(scenario: Awaitable[None]) -> None:
    """Run a test's scenario, but not for ever."""

    async def bounded() -> None:
        async with asyncio.timeout(60):
            await scenario

    asyncio.run(bounded())


def _anthropic(text: str, is_stream: bool, cap: int) -> dict[str, Any]:
    return {
        "model": "claude-sonnet-5-5",
        "max_tokens": cap,
        "stream": is_stream,
        "system": [{"type": "text", "text": "Help.", "cache_control": {"type": "ephemeral"}}],
        "messages": [{"role": "user", "content": text}],
    }


def _responses(text: str, is_stream: bool, cap: int) -> dict[str, Any]:
    said = {"role": "user", "content": [{"type": "input_text", "text": text}]}
    body = {"model": "gpt-6.1-terra", "max_output_tokens": cap, "store": False}
    return {**body, "stream": is_stream, "instructions": "Help.", "input": [said]}


def _google(text: str, is_stream: bool, cap: int) -> dict[str, Any]:
    del is_stream
    return {
        "systemInstruction": {"parts": [{"text": "Help."}]},
        "contents": [{"role": "user", "parts": [{"text": text}]}],
        "generationConfig": {"maxOutputTokens": cap, "temperature": 0.5},
    }


def _completions(model: str) -> Callable[[str, bool, int], dict[str, Any]]:
    def body(text: str, is_stream: bool, cap: int) -> dict[str, Any]:
        said = [{"role": "system", "content": "Help."}, {"role": "user", "content": text}]
        asked = {"model": model, "max_completion_tokens": cap, "messages": said}
        return {**asked, "stream": is_stream}

    return body


_BODIES: dict[str, Callable[[str, bool, int], dict[str, Any]]] = {
    "anthropic": _anthropic,
    "openai": _responses,
    "gemini": _google,
    "compatible": _completions("llama"),
    "demo": _completions("demo"),
}
