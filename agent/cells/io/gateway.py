"""Talking to a cell's OpenClaw gateway through the unix socket that leads into the cell."""

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, TypeVar, cast
from uuid import uuid4

import aiohttp
from aiohttp.http_exceptions import LineTooLong

from agent.cells.io.surrogates import SurrogateDecoder

# A whole event, with a long text in it, comes on one line.
LINE_BYTES = 4 * 1024 * 1024
LONGEST_REASON = 2_000
LONGEST_NAME = 100
# So many lines are read at a time, should more be there.
FAIR_ITEMS = 64
PROTOCOL = 4
Item = TypeVar("Item")
# A name that OpenClaw knows for its own; the socket is what leads there.
HOST = "http://localhost"
SOCKET_HOST = "ws://localhost/"
DATA = b"data: "
DONE = b"data: [DONE]"
# What comes of reading what no OpenClaw writes. Their own words may have somebody's in them.
MALFORMED = (LineTooLong, RecursionError, TypeError, AttributeError, LookupError)


class GatewayFailed(Exception):
    """The gateway ended a turn with an error, or did not answer at all."""


class GatewayRefused(GatewayFailed):
    """The gateway said itself that there is no answer: its process lives."""


@dataclass(frozen=True)
class Question:
    """What is put to the gateway; `images` are data URLs."""

    agent: str
    session: str
    text: str
    images: tuple[str, ...] = ()
    model: str | None = None

    @property
    def session_key(self) -> str:
        return f"agent:{self.agent}:{self.session}"

    @property
    def content(self) -> str | list[dict[str, Any]]:
        if not self.images:
            return self.text
        images = [{"type": "image_url", "image_url": {"url": url}} for url in self.images]
        return [{"type": "text", "text": self.text}, *images]


@dataclass
class Gateway:
    """A client of one cell's gateway. Tool use is told to `on_tool` while `follow` runs."""

    socket_path: str
    token: str
    on_tool: Callable[[str], None] | None = None
    _session: aiohttp.ClientSession | None = field(default=None, init=False)
    _socket: aiohttp.ClientWebSocketResponse | None = field(default=None, init=False)
    _followed: set[str] = field(default_factory=set[str], init=False)

    async def close(self) -> None:
        """Drop all connections; a turn that runs is ended by that."""
        if self._session is not None:
            await self._session.close()

    async def is_ready(self) -> bool:
        """Tell whether the gateway takes turns now."""
        try:
            patience = aiohttp.ClientTimeout(total=5)
            async with self._http.get("/readyz", timeout=patience) as response:
                return response.status == 200
        except (aiohttp.ClientError, TimeoutError):
            return False

    async def ask(self, question: Question) -> AsyncGenerator[str]:
        """Put a question, and yield the answer as it comes. Raises GatewayFailed.

        Closing the generator closes the request, and OpenClaw then drops its model call.
        """
        headers = {"x-openclaw-session-key": question.session_key}
        if question.model:
            headers["x-openclaw-model"] = question.model
        body = {
            "model": f"openclaw/{question.agent}",
            "stream": True,
            "messages": [{"role": "user", "content": question.content}],
        }
        try:
            async with self._http.post(
                "/v1/chat/completions", json=body, headers=headers
            ) as response:
                if response.status != 200:
                    said = await response.content.read(LONGEST_REASON)
                    raise GatewayRefused(f"HTTP {response.status}: {said.decode(errors='replace')}")
                pieces = SurrogateDecoder()
                async for line in _fairly(response.content):
                    is_last = line.strip() == DONE
                    delta = None if is_last else _delta(line)
                    if words := pieces.add(delta or "", is_last=is_last):
                        yield words
                    if is_last:
                        return
        except (aiohttp.ClientError, ValueError) as error:
            raise GatewayFailed(str(error)) from error
        except MALFORMED as error:
            raise GatewayFailed(type(error).__name__) from None
        raise GatewayFailed("The answer broke off.")

    async def listen(self) -> None:
        """Connect for events and tell `on_tool` of each tool that starts, until closed.

        Raises GatewayFailed.
        """
        try:
            async with self._http.ws_connect(SOCKET_HOST, max_msg_size=LINE_BYTES) as socket:
                async for message in _fairly(socket):
                    if message.type is aiohttp.WSMsgType.TEXT:
                        await self._hear(socket, json.loads(message.data))
        except (aiohttp.ClientError, ConnectionError, ValueError) as error:
            raise GatewayFailed(str(error)) from error
        except MALFORMED as error:
            raise GatewayFailed(type(error).__name__) from None
        finally:
            self._socket = None

    async def follow(self, session_key: str) -> None:
        """Ask to be told of this session's tools, if we are connected and were not yet."""
        if self._socket is not None and session_key not in self._followed:
            self._followed.add(session_key)
            # A connection that has just broken costs the names of tools, and no answer.
            with suppress(aiohttp.ClientError, ConnectionError):
                await _request(self._socket, "sessions.messages.subscribe", {"key": session_key})

    @property
    def _http(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                HOST,
                connector=aiohttp.UnixConnector(self.socket_path),
                headers={"Authorization": f"Bearer {self.token}"},
                timeout=aiohttp.ClientTimeout(total=None),
                read_bufsize=LINE_BYTES,
            )
        return self._session

    async def _hear(self, socket: aiohttp.ClientWebSocketResponse, frame: dict[str, Any]) -> None:
        event = frame.get("event")
        if event == "connect.challenge":
            await _request(socket, "connect", self._introduction())
        elif frame.get("type") == "res" and "protocol" in (frame.get("payload") or {}):
            await _request(socket, "sessions.subscribe", {})
            self._socket = socket
        elif event == "session.tool" and self.on_tool is not None:
            name = _started_tool(frame.get("payload") or {})
            if name:
                self.on_tool(name)

    def _introduction(self) -> dict[str, Any]:
        return {
            "minProtocol": PROTOCOL,
            "maxProtocol": PROTOCOL,
            "client": {
                "id": "gateway-client",
                "version": "1.0.0",
                "platform": "linux",
                "mode": "backend",
            },
            "role": "operator",
            "scopes": ["operator.read"],
            "caps": ["tool-events"],
            "auth": {"token": self.token},
        }


async def _fairly(items: AsyncIterable[Item]) -> AsyncGenerator[Item]:
    """Yield what comes, and let others have their turn when it comes without a pause."""
    number = 0
    async for item in items:
        number += 1
        if number % FAIR_ITEMS == 0:
            await asyncio.sleep(0)
        yield item


async def _request(
    socket: aiohttp.ClientWebSocketResponse, method: str, parameters: dict[str, Any]
) -> None:
    await socket.send_json(
        {"type": "req", "id": str(uuid4()), "method": method, "params": parameters}
    )


def _delta(line: bytes) -> str | None:
    if not line.startswith(DATA):
        return None
    event = cast(dict[str, Any], json.loads(line.removeprefix(DATA)))
    if "error" in event:
        raise GatewayRefused(str(event["error"].get("message", event["error"])))
    choices = cast(list[dict[str, Any]], event.get("choices") or [{}])
    return choices[0].get("delta", {}).get("content")


def _started_tool(payload: dict[str, Any]) -> str | None:
    data = payload.get("data") or payload
    name = data.get("name") if data.get("phase") == "start" else None
    return name[:LONGEST_NAME] if isinstance(name, str) else None


async def wait_until_ready(gateway: Gateway, seconds: float, pause: float = 0.2) -> None:
    """Return once the gateway takes turns; raises TimeoutError after `seconds`."""
    async with asyncio.timeout(seconds):
        # Only the gateway knows, and it does not call us.
        while not await gateway.is_ready():  # noqa: ASYNC110
            await asyncio.sleep(pause)
