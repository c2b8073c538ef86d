"""The demo model's HTTP server: each provider's own addresses, and a look at what came in."""

import asyncio
import json
import secrets
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import cast

from aiohttp import web

from embedded.demo_model import hearing
from embedded.demo_model.conversation import Body
from embedded.demo_model.planner import Plan, Planner
from embedded.demo_model.recorder import KEY_HEADERS, Recorded, Recorder
from embedded.demo_model.reply import message_tokens
from embedded.demo_model.script import NoSuchDirective
from embedded.demo_model.wires.anthropic import Anthropic
from embedded.demo_model.wires.base import Writer
from embedded.demo_model.wires.gemini import Gemini
from embedded.demo_model.wires.openai_chat import OpenAIChat
from embedded.demo_model.wires.openai_responses import OpenAIResponses

LARGEST_REQUEST_BYTES = 128 * 1024 * 1024
MODEL = "demo"
# Official clients then try again at once, where a real provider would make them wait.
RETRY_HEADERS = {"retry-after-ms": "20"}


@dataclass(frozen=True)
class Options:
    """How the model was started."""

    pause_seconds: float = 0.03
    is_scriptable: bool = False
    is_recording: bool = False


class DemoModel:
    """Answers requests in every format."""

    def __init__(self, options: Options) -> None:
        self._planner = Planner(options.pause_seconds, is_scriptable=options.is_scriptable)
        self._recorder = Recorder()
        self._is_recording = options.is_recording

    def app(self) -> web.Application:
        """Build the server."""
        app = web.Application(client_max_size=LARGEST_REQUEST_BYTES)
        app.router.add_get("/healthz", _is_up)
        app.router.add_get("/v1/models", _models)
        app.router.add_post("/v1/chat/completions", self._openai_chat)
        app.router.add_post("/v1/audio/transcriptions", _transcribe)
        app.router.add_post("/v1/responses", self._openai_responses)
        app.router.add_post("/v1/messages", self._anthropic)
        app.router.add_post("/v1/messages/count_tokens", _count_tokens)
        app.router.add_post("/{version:v1|v1beta}/models/{model}:{verb}", self._gemini)
        if self._is_recording:
            app.router.add_get("/_recorded", self._show)
            app.router.add_delete("/_recorded", self._take_out)
            app.router.add_post("/_release", self._release)
        return app

    async def _openai_chat(self, request: web.Request) -> web.StreamResponse:
        return await self._answer(request, OpenAIChat, await request.json())

    async def _openai_responses(self, request: web.Request) -> web.StreamResponse:
        return await self._answer(request, OpenAIResponses, await request.json())

    async def _anthropic(self, request: web.Request) -> web.StreamResponse:
        return await self._answer(request, Anthropic, await request.json())

    async def _gemini(self, request: web.Request) -> web.StreamResponse:
        body, verb = cast(Body, await request.json()), request.match_info["verb"]
        if verb == "countTokens":
            counted = sum(size for _, size in message_tokens(Gemini.read(body)))
            return web.json_response({"totalTokens": counted})
        if verb not in ("generateContent", "streamGenerateContent"):
            return web.json_response(Gemini.error(404, f"no such method: {verb}"), status=404)
        named = {"model": request.match_info["model"], "stream": verb == "streamGenerateContent"}
        return await self._answer(request, Gemini, {**body, **named})

    async def _answer(
        self, request: web.Request, wire: type[Writer], body: Body
    ) -> web.StreamResponse:
        recorded = self._recorder.take(request.path, request.headers, body)
        async with _ending(recorded):
            if not any(name in request.headers for name in KEY_HEADERS):
                return _refusal(wire, recorded, 401, "A key is needed; any will do.")
            asked = wire.read(body)
            try:
                plan = self._planner.plan(
                    asked, wire.blocks(body), pays_for_writing=wire.pays_for_writing
                )
            except NoSuchDirective as error:
                return _refusal(wire, recorded, 400, str(error))
            if plan.status:
                return _refusal(wire, recorded, plan.status, f"The script says {plan.status}.")
            writer = wire(body, asked, secrets.token_hex(12), plan.usage)
            answer = Answer(request, writer, plan, recorded, self._recorder)
            return await (answer.stream() if asked.is_stream else answer.whole())

    async def _show(self, _: web.Request) -> web.Response:
        return web.json_response(self._recorder.listed())

    async def _take_out(self, _: web.Request) -> web.Response:
        # In one: whatever came between two would be forgotten and shown to nobody.
        return web.json_response(self._recorder.take_out())

    async def _release(self, _: web.Request) -> web.Response:
        self._recorder.release()
        return web.Response(status=204)


@dataclass(frozen=True)
class Answer:
    """One answer on its way."""

    request: web.Request
    writer: Writer
    plan: Plan
    recorded: Recorded
    recorder: Recorder

    async def whole(self) -> web.StreamResponse:
        """Answer with one document, after the time that its words take."""
        for at in range(-1, len(self.plan.reply.words)):
            if await self._stops(at):
                return self._dropped()
            await asyncio.sleep(self.plan.pause_seconds if at >= 0 else 0)
        document = json.dumps(self.writer.whole(self.plan.reply)).encode()
        self.recorded.status, self.recorded.bytes_sent = 200, len(document)
        return web.Response(body=document, content_type="application/json", headers=self._headers())

    async def stream(self) -> web.StreamResponse:
        """Answer word by word."""
        if await self._stops(-1):
            return self._dropped()
        headers = {"Content-Type": "text/event-stream", **self._headers()}
        response = web.StreamResponse(headers=headers)
        self.recorded.status = 200
        await response.prepare(self.request)
        plan = self.plan
        await self._write(response, self.writer.begin())
        if plan.reply.thoughts:
            await self._write(response, self.writer.think(plan.reply.thoughts))
            await asyncio.sleep(plan.pause_seconds)
        if plan.reply.refusal:
            await self._write(response, self.writer.refuse(plan.reply.refusal))
        for at, word in enumerate(plan.reply.words):
            if await self._stops(at):
                return await self._broken_off(response)
            await asyncio.sleep(plan.pause_seconds)
            await self._write(response, self.writer.word(word))
        if await self._stops(len(plan.reply.words)):
            return await self._broken_off(response)
        end = self.writer.end(plan.reply, tells_usage=plan.tells_usage)
        await self._write(response, end)
        if plan.stop is not None and plan.stop.kind == "linger":
            await asyncio.Event().wait()
        await response.write_eof()
        return response

    async def _stops(self, at: int) -> bool:
        """Wait where the script says so; tell whether the answer is to break off there."""
        stop = self.plan.stop
        if stop is None or at != min(stop.after, len(self.plan.reply.words)):
            return False
        if stop.kind == "stall":
            await asyncio.Event().wait()
        if stop.kind == "hold":
            await self.recorder.gate.wait()
        return stop.kind in ("cut", "fail")

    async def _broken_off(self, response: web.StreamResponse) -> web.StreamResponse:
        if self.plan.stop is None or self.plan.stop.kind != "fail":
            return self._dropped(response)
        await self._write(response, self.writer.failure("The script says that this fails."))
        await response.write_eof()
        return response

    def _dropped(self, response: web.StreamResponse | None = None) -> web.StreamResponse:
        self.recorded.ended = "cut"
        if self.request.transport is not None:
            self.request.transport.abort()
        return response or web.Response(status=502)

    async def _write(self, response: web.StreamResponse, piece: bytes) -> None:
        if piece:
            await response.write(piece)
            self.recorded.bytes_sent += len(piece)

    def _headers(self) -> dict[str, str]:
        return {self.writer.request_id_header: f"req_{self.writer.id}"}


@asynccontextmanager
async def _ending(recorded: Recorded) -> AsyncGenerator[None]:
    """Note how the answer ends."""
    try:
        yield
    except (asyncio.CancelledError, ConnectionError):
        recorded.ended = "hung_up"
        raise
    if recorded.ended == "open":
        recorded.ended = "finished"


def _refusal(
    wire: type[Writer], recorded: Recorded, status: int, message: str
) -> web.StreamResponse:
    recorded.status = status
    headers = RETRY_HEADERS if status == 429 or status >= 500 else {}
    return web.json_response(wire.error(status, message), status=status, headers=headers)


async def _is_up(_: web.Request) -> web.Response:
    return web.Response(text="ok")


async def _models(_: web.Request) -> web.Response:
    model = {"id": MODEL, "object": "model", "created": 0, "owned_by": "shellmate"}
    return web.json_response({"object": "list", "data": [model]})


async def _transcribe(request: web.Request) -> web.Response:
    if not any(name in request.headers for name in KEY_HEADERS):
        return web.json_response(OpenAIChat.error(401, "A key is needed; any will do."), status=401)
    sent = (await request.post()).get("file")
    if not isinstance(sent, web.FileField):
        return web.json_response(OpenAIChat.error(400, "There is no file."), status=400)
    heard = hearing.hear(sent.file.read())
    usage = {"usage": {"type": "duration", "seconds": heard.seconds}} if heard.seconds else {}
    headers = {OpenAIChat.request_id_header: f"req_{secrets.token_hex(12)}"}
    return web.json_response({"text": heard.text, **usage}, headers=headers)


async def _count_tokens(request: web.Request) -> web.Response:
    counted = sum(size for _, size in message_tokens(Anthropic.read(await request.json())))
    return web.json_response({"input_tokens": counted})
