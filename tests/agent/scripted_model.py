"""A model at the border: an OpenAI-compatible server that says what a test tells it."""

import asyncio
import json
import threading
from dataclasses import dataclass, field
from typing import Any, cast

from aiohttp import web

from embedded.demo_model.replies.summaries import SUMMARIZING


@dataclass(frozen=True)
class Pause:
    """Say nothing more until `ScriptedModel.go_on` is set."""


@dataclass(frozen=True)
class UseTool:
    """Call a tool instead of answering; the next request gets the rest of the script."""

    name: str
    arguments: dict[str, Any]


@dataclass(frozen=True)
class Then:
    """What follows is for the next request."""


Line = str | Pause | UseTool | Then


@dataclass
class ScriptedModel:
    """Answers each request with the next lines of `script`; with none left it says "Well."."""

    script: list[Line] = field(default_factory=list[Line])
    requests: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    go_on: threading.Event = field(default_factory=threading.Event)
    # Set when a client hangs up in the middle of an answer.
    hung_up: threading.Event = field(default_factory=threading.Event)
    # What it answers when OpenClaw has a conversation summarized.
    summary: str = "They talked."
    # Requests with this in them are refused.
    refused: str | None = None
    port: int = 0
    _loop: asyncio.AbstractEventLoop = field(default_factory=asyncio.new_event_loop)

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1"

    @property
    def last_request(self) -> str:
        return json.dumps(self.requests[-1], ensure_ascii=False)

    @property
    def last_message(self) -> Any:
        """The content of the newest message of the newest request."""
        return self.requests[-1]["messages"][-1]["content"]

    def will(self, *script: Line) -> None:
        """Forget what was asked so far, and answer like this from now on."""
        self.script[:] = script
        self.requests.clear()
        self.go_on.clear()
        self.hung_up.clear()

    def start(self) -> None:
        threading.Thread(target=self._loop.run_forever, daemon=True).start()
        app = web.Application(client_max_size=64 * 1024 * 1024)
        app.router.add_post("/v1/chat/completions", self._answer)
        self.port = self.serve(app)

    def serve(self, app: web.Application) -> int:
        """Serve a further application from the same thread, and return its port."""
        return asyncio.run_coroutine_threadsafe(_listen(app), self._loop).result()

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        body = await request.json()
        self.requests.append(body)
        written = json.dumps(body)
        if self.refused and self.refused in written:
            refusal = {"error": {"message": "Could not process image", "type": "invalid_request"}}
            return web.json_response(refusal, status=400)
        lines = [self.summary] if SUMMARIZING in written else self._take_lines()
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        end = "stop"
        try:
            for line in lines:
                if isinstance(line, Pause):
                    await self._wait()
                elif isinstance(line, UseTool):
                    await _send(response, _tool_call(line, len(self.requests)))
                    end = "tool_calls"
                elif isinstance(line, str):
                    await _send(response, {"delta": {"role": "assistant", "content": line}})
            await _send(response, {"delta": {}, "finish_reason": end})
            await _send_usage(response, len(written) // 4)
        except (ConnectionError, asyncio.CancelledError):
            self.hung_up.set()
            raise
        return response

    def _take_lines(self) -> list[Line]:
        for number, line in enumerate(self.script):
            if isinstance(line, UseTool | Then):
                taken, self.script[:] = self.script[: number + 1], self.script[number + 1 :]
                return taken
        taken, self.script[:] = self.script[:], []
        return taken or ["Well."]

    async def _wait(self) -> None:
        while not self.go_on.is_set():  # noqa: ASYNC110  # a thread's event
            await asyncio.sleep(0.01)


async def _listen(app: web.Application) -> int:
    runner = web.AppRunner(app, handler_cancellation=True)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    return cast(tuple[str, int], runner.addresses[0])[1]


def _tool_call(line: UseTool, number: int) -> dict[str, Any]:
    function = {"name": line.name, "arguments": json.dumps(line.arguments)}
    call = {"index": 0, "id": f"call{number}", "type": "function", "function": function}
    return {"delta": {"role": "assistant", "content": None, "tool_calls": [call]}}


async def _send(response: web.StreamResponse, choice: dict[str, Any]) -> None:
    chunk = {
        "id": "scripted",
        "object": "chat.completion.chunk",
        "created": 0,
        "model": "scripted",
        "choices": [{"index": 0, "finish_reason": None, **choice}],
    }
    await response.write(f"data: {json.dumps(chunk)}\n\n".encode())


async def _send_usage(response: web.StreamResponse, asked: int) -> None:
    chunk: dict[str, Any] = {
        "id": "scripted",
        "object": "chat.completion.chunk",
        "created": 0,
        "model": "scripted",
        "choices": [],
        "usage": {"prompt_tokens": asked, "completion_tokens": 5, "total_tokens": asked + 5},
    }
    await response.write(f"data: {json.dumps(chunk)}\n\ndata: [DONE]\n\n".encode())
