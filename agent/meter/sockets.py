"""A unix socket that serves HTTP to one cell, which may open only so many connections to it."""

import asyncio
import logging
import time
from collections import deque
from collections.abc import Awaitable, Callable
from pathlib import Path

import structlog
from aiohttp import http_exceptions, web

log = structlog.get_logger()

# aiohttp tells of each malformed request, with a traceback; whoever is in the cell could go on.
_SILENT = logging.getLogger(f"{__name__}.http")
_SILENT.setLevel(logging.CRITICAL + 1)

# OpenClaw keeps a few; each costs the worker memory.
MOST_CONNECTIONS = 32
# A cell whose port is closed is not waited for.
SHUTDOWN_SECONDS = 0.5
# Who is refused in mid-request may send the rest of it for so long, and so hear why.
LINGERING_SECONDS = 2.0

# Who asks more often than this waits a second each time, on each connection.
MOST_A_SECOND = 200

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class _Full(asyncio.Protocol):
    """Hangs up at once."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        transport.close()


class Listener:
    """Takes the calls of one cell at `path`, all by one handler."""

    def __init__(self, handler: Handler, *, path: str = "/{provider}/{path:.+}") -> None:
        application = web.Application()
        application.router.add_post(path, self._handle)
        self._handler = handler
        self._latest: deque[float] = deque(maxlen=MOST_A_SECOND)
        self._runner = web.AppRunner(
            application,
            # Otherwise a cell that hangs up would leave its call running.
            handler_cancellation=True,
            access_log=None,
            logger=_SILENT,
            shutdown_timeout=SHUTDOWN_SECONDS,
            lingering_time=LINGERING_SECONDS,
            # What is compressed may be without end.
            auto_decompress=False,
        )
        self._server: asyncio.Server | None = None

    async def open(self, path: Path) -> None:
        """Listen at `path`."""
        await self._runner.setup()
        loop = asyncio.get_running_loop()
        self._server = await loop.create_unix_server(self._connected, str(path))

    async def close(self) -> None:
        """Take no more calls, and cut those under way."""
        if self._server is not None:
            self._server.close()
        await self._runner.cleanup()

    def _connected(self) -> asyncio.Protocol:
        server = self._runner.server
        if server is None or len(server.connections) >= MOST_CONNECTIONS:
            return _Full()
        return server()

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        now = time.monotonic()
        if len(self._latest) == MOST_A_SECOND and now - self._latest[0] < 1:
            await asyncio.sleep(1)
        self._latest.append(now)
        try:
            return await self._handler(request)
        except (web.HTTPException, ConnectionError):
            raise
        except (web.RequestPayloadError, http_exceptions.HttpProcessingError):
            raise web.HTTPBadRequest from None
        except Exception:
            log.exception("meter.stumbled")
            raise web.HTTPInternalServerError from None
