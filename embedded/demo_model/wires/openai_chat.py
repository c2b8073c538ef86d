"""OpenAI's chat completions."""

import json
import time

from embedded.demo_model.cache import MINUTES, Block, block, in_pieces
from embedded.demo_model.conversation import Asked, Body, Said, ToolCall, objects, part, words
from embedded.demo_model.reply import Reply, Usage
from embedded.demo_model.wires.base import Writer, data, json_object, picture_of_url

INSTRUCTIONS = ("system", "developer")


class OpenAIChat(Writer):
    """Usage comes in a last chunk of its own, if it was asked for."""

    @staticmethod
    def read(body: Body) -> Asked:
        messages = objects(body.get("messages"))
        system = [words(one.get("content")) for one in messages if one.get("role") in INSTRUCTIONS]
        functions = [part(tool, "function") for tool in objects(body.get("tools"))]
        return Asked(
            model=str(body.get("model", "")),
            system="\n".join(system),
            said=tuple(_said(one) for one in messages if one.get("role") not in INSTRUCTIONS),
            tools={str(one.get("name")): part(one, "parameters") for one in functions},
            max_output_tokens=body.get("max_completion_tokens") or body.get("max_tokens"),
            is_stream=bool(body.get("stream")),
        )

    @staticmethod
    def blocks(body: Body) -> list[Block]:
        found = [*objects(body.get("tools")), *objects(body.get("messages"))]
        return list(in_pieces([block(one) for one in found], 5 * MINUTES))

    def begin(self) -> bytes:
        return data([self._chunk({"role": "assistant", "content": ""})])

    def think(self, thoughts: str) -> bytes:
        return data([self._chunk({"reasoning_content": thoughts})])

    def refuse(self, words: str) -> bytes:
        return data([self._chunk({"refusal": words})])

    def word(self, delta: str) -> bytes:
        return data([self._chunk({"content": delta})])

    def end(self, reply: Reply, *, tells_usage: bool) -> bytes:
        calls = [{"index": at, **_call(call)} for at, call in enumerate(reply.calls)]
        events = [self._chunk({"tool_calls": [call]}) for call in calls]
        events.append(self._chunk({}, _reason(reply)))
        if tells_usage and part(self.body, "stream_options").get("include_usage"):
            events.append(
                {**self._head("chat.completion.chunk"), "choices": [], **_usage(self.usage)}
            )
        return data(events) + b"data: [DONE]\n\n"

    def whole(self, reply: Reply) -> Body:
        message: Body = {"role": "assistant", "content": reply.text or None}
        if reply.calls:
            message["tool_calls"] = [_call(call) for call in reply.calls]
        choice = {"index": 0, "message": message, "finish_reason": _reason(reply)}
        return {**self._head("chat.completion"), "choices": [choice], **_usage(self.usage)}

    @staticmethod
    def error(status: int, message: str) -> Body:
        kind = "invalid_request_error" if status < 429 else "server_error"
        return {"error": {"message": message, "type": kind, "param": None, "code": None}}

    def _head(self, kind: str) -> Body:
        created = int(time.time())
        return {
            "id": f"chatcmpl-{self.id}",
            "object": kind,
            "created": created,
            "model": self.model,
        }

    def _chunk(self, delta: Body, reason: str | None = None) -> Body:
        choice = {"index": 0, "delta": delta, "finish_reason": reason}
        return {**self._head("chat.completion.chunk"), "choices": [choice]}


def _said(message: Body) -> Said:
    content = message.get("content")
    images = [part(one, "image_url") for one in objects(content) if one.get("type") == "image_url"]
    pictures = tuple(picture_of_url(str(image.get("url", ""))) for image in images)
    if message.get("role") == "tool":
        return Said("tool", words(content), pictures)
    if message.get("role") == "assistant":
        calls = [(call, part(call, "function")) for call in objects(message.get("tool_calls"))]
        used = tuple(
            ToolCall(str(call.get("id")), str(one.get("name")), json_object(one.get("arguments")))
            for call, one in calls
        )
        return Said("assistant", words(content), calls=used)
    return Said("user", words(content), pictures)


def _call(call: ToolCall) -> Body:
    function = {"name": call.name, "arguments": json.dumps(call.arguments)}
    return {"id": call.id, "type": "function", "function": function}


def _reason(reply: Reply) -> str:
    if reply.calls:
        return "tool_calls"
    return "length" if reply.is_cut else "stop"


def _usage(usage: Usage) -> Body:
    # Prompt tokens include those of the cache.
    details = {"cached_tokens": usage.cache_read, "cache_write_tokens": usage.cache_write}
    counted = {
        "prompt_tokens": usage.whole_input,
        "completion_tokens": usage.output,
        "total_tokens": usage.whole_input + usage.output,
        "prompt_tokens_details": details,
        "completion_tokens_details": {"reasoning_tokens": usage.thoughts},
    }
    return {"usage": counted}
