"""What a cell says as its gateway is believed no further than it makes sense."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from agent.cells.io.gateway import Gateway


@pytest.mark.parametrize(
    ("payload", "told"),
    [
        ({"phase": "start", "name": "write"}, ["write"]),
        ({"data": {"phase": "start", "name": "n" * 500}}, ["n" * 100]),
        ({"phase": "start"}, []),
        ({"phase": "start", "name": {"a": 1}}, []),
        ({"phase": "end", "name": "write"}, []),
    ],
)
def test_only_a_tool_that_has_a_name_is_told(
    tmp_path: Path, payload: dict[str, Any], told: list[str]
) -> None:
    names: list[str] = []

    async def tell(request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        await socket.send_str(json.dumps({"event": "session.tool", "payload": payload}))
        await socket.close()
        return socket

    async def listen(gateway: Gateway) -> None:
        gateway.on_tool = names.append
        await gateway.listen()

    _with_gateway(tmp_path, tell, listen)
    assert names == told


def _with_gateway(folder: Path, answer: Any, use: Any) -> None:
    """Use a cell whose gateway answers everything alike."""

    async def scenario() -> None:
        application = web.Application()
        application.router.add_route("*", "/{path:.*}", answer)
        runner = web.AppRunner(application, shutdown_timeout=0.1)
        await runner.setup()
        path = str(folder / "gateway")
        await web.UnixSite(runner, path).start()
        gateway = Gateway(path, "token")
        try:
            async with asyncio.timeout(30):
                await use(gateway)
        finally:
            await gateway.close()
            await runner.cleanup()

    asyncio.run(scenario())
