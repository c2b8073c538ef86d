"""The product's tools as one cell sees them: an MCP server at a unix socket of its own.

Who asks is known by the socket and the turn that runs, never by what is said. The protocol is the
part of MCP's streamable HTTP that OpenClaw needs: one JSON answer to each request, no sessions.
"""

import asyncio
import hmac
import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, cast

import structlog
from aiohttp import web

from agent.meter.sockets import Listener
from agent.tools.registry import FILE, Arguments, OfferedTool, ToolRefused, WorkspaceFile
from agent.turn import Turn

log = structlog.get_logger()

PATH = "/mcp"
PROTOCOLS = ("2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25")
MOST_REQUEST_BYTES = 64 * 1024
# Well within what OpenClaw waits for, and what counts as a cell that is stuck.
CALL_SECONDS = 20.0
MOST_CALLS_A_TURN = 40

# Reads a file of the workspace by what a model calls it; None for what is none.
ReadFile = Callable[[object], Awaitable[WorkspaceFile | None]]

NO_TURN = "There is no message to answer."
TOO_MANY = "There were too many calls of tools for this message. Answer with what you have."
TOO_SLOW = "This took too long. Say so, and do not try again for this message."
BROKEN = "This does not work just now. Say so, and do not try again for this message."
UNKNOWN = "There is no such tool."
NOT_READABLE, NO_METHOD = -32700, -32601


class ToolPort:
    """The socket of one cell. Between `begin` and `end` its calls are for the turn's person."""

    def __init__(
        self,
        socket_path: Path,
        token: str,
        tools: Sequence[OfferedTool],
        read_file: ReadFile | None = None,
    ) -> None:
        """`read_file` reads files of the cell's workspace for the tools that take one."""
        self._read_file = read_file
        self._socket_path = socket_path
        self._token = token
        self._tools = {one.tool.name: one for one in tools}
        self._turn: Turn | None = None
        self._calls = 0
        # One call at a time: a cell makes no threads of ours its own.
        self._turns = asyncio.Lock()
        self._listener = Listener(self._take, path=PATH)

    def begin(self, turn: Turn) -> None:
        """Let the cell's calls be for the person of `turn` from now on."""
        self._turn, self._calls = turn, 0

    def end(self) -> None:
        """Let the cell do nothing for anybody any more."""
        self._turn = None

    async def listen(self) -> None:
        """Open the socket. Anyone who may reach it still needs the token."""
        await self._listener.open(self._socket_path)

    async def close(self) -> None:
        """Close the socket."""
        self.end()
        await self._listener.close()

    async def _take(self, request: web.Request) -> web.StreamResponse:
        given = request.headers.get("Authorization", "").removeprefix("Bearer ")
        if not hmac.compare_digest(given.encode(), self._token.encode()):
            raise web.HTTPUnauthorized
        asked = _parsed(await _body(request))
        if asked is None:
            return _failed(None, NOT_READABLE, "This is no request.")
        if "id" not in asked:
            # A notification wants no answer.
            return web.Response(status=202)
        return await self._answer(asked)

    async def _answer(self, asked: Arguments) -> web.Response:
        number, method, given = asked["id"], asked.get("method"), _object(asked.get("params"))
        if method == "initialize":
            return _answered(number, _introduction(given))
        if method == "ping":
            return _answered(number, {})
        if method == "tools/list":
            return _answered(number, {"tools": [_listed(one) for one in self._tools.values()]})
        if method == "tools/call":
            return _answered(number, await self.call(given))
        return _failed(number, NO_METHOD, "Only tools are served here.")

    async def call(self, given: Arguments) -> Mapping[str, Any]:
        """Do what a call asks for the turn that runs; it says in words why nothing is done."""
        async with self._turns:
            turn, one = self._turn, self._tools.get(str(given.get("name")))
            if turn is None:
                log.warning("tools.stray_call")
                return _said(NO_TURN, is_error=True)
            self._calls += 1
            if self._calls > MOST_CALLS_A_TURN:
                return _said(TOO_MANY, is_error=True)
            if one is None:
                return _said(UNKNOWN, is_error=True)
            return await self._run(one, turn, _object(given.get("arguments")))

    async def _run(self, one: OfferedTool, turn: Turn, given: Arguments) -> Mapping[str, Any]:
        try:
            async with asyncio.timeout(CALL_SECONDS):
                arguments = await self._with_file(one, given)
                words = await asyncio.to_thread(one.handler, turn, arguments)
        except ToolRefused as refusal:
            return _said(str(refusal)[: one.tool.answer_chars], is_error=True)
        except TimeoutError:
            log.warning("tool.slow", tool=one.tool.name, job_id=str(turn.job_id))
            return _said(TOO_SLOW, is_error=True)
        except Exception:
            log.exception("tool.failed", tool=one.tool.name, job_id=str(turn.job_id))
            return _said(BROKEN, is_error=True)
        log.info("tool.used", tool=one.tool.name, job_id=str(turn.job_id))
        return _said(words[: one.tool.answer_chars])

    async def _with_file(self, one: OfferedTool, given: Arguments) -> Arguments:
        """Add the file that a tool takes, None for one that is not there."""
        asked = {name: value for name, value in given.items() if name != FILE}
        if one.tool.takes_file and self._read_file is not None:
            asked[FILE] = await self._read_file(given.get(one.tool.takes_file))
        return asked


def _said(words: str, *, is_error: bool = False) -> Mapping[str, Any]:
    content = [{"type": "text", "text": words}]
    return {"content": content, "isError": is_error}


def _introduction(given: Arguments) -> Mapping[str, Any]:
    wanted = given.get("protocolVersion")
    return {
        "protocolVersion": wanted if wanted in PROTOCOLS else PROTOCOLS[-1],
        "capabilities": {"tools": {}},
        "serverInfo": {"name": "product-tools", "version": "1"},
    }


def _listed(one: OfferedTool) -> Mapping[str, Any]:
    return {
        "name": one.tool.name,
        "description": one.tool.description,
        "inputSchema": one.tool.schema,
        "annotations": {"readOnlyHint": one.tool.reads_only, "destructiveHint": False},
    }


async def _body(request: web.Request) -> bytes:
    """Read a request, but no more of it than one of these may have."""
    read = bytearray()
    async for chunk in request.content.iter_chunked(16 * 1024):
        read += chunk
        if len(read) > MOST_REQUEST_BYTES:
            raise web.HTTPRequestEntityTooLarge(MOST_REQUEST_BYTES, len(read))
    return bytes(read)


def _parsed(document: bytes) -> Arguments | None:
    try:
        found = json.loads(document)
    except (ValueError, RecursionError):
        return None
    return cast(Arguments, found) if isinstance(found, dict) else None


def _object(given: object) -> Arguments:
    return cast(Arguments, given) if isinstance(given, dict) else {}


def _answered(number: object, result: Mapping[str, Any]) -> web.Response:
    return web.json_response({"jsonrpc": "2.0", "id": number, "result": result})


def _failed(number: object, code: int, message: str) -> web.Response:
    error = {"code": code, "message": message}
    return web.json_response({"jsonrpc": "2.0", "id": number, "error": error})
