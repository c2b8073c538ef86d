"""Anthropic's Messages."""

import json

from embedded.demo_model.cache import HOUR, MINUTES, Block, block
from embedded.demo_model.conversation import (
    Asked,
    Body,
    Picture,
    Said,
    ToolCall,
    objects,
    part,
    words,
)
from embedded.demo_model.reply import Reply, Usage
from embedded.demo_model.wires.base import Writer, named, picture

ERRORS = {
    400: "invalid_request_error",
    401: "authentication_error",
    403: "permission_error",
    404: "not_found_error",
    413: "request_too_large",
    429: "rate_limit_error",
    529: "overloaded_error",
}


class Anthropic(Writer):
    """The input's usage comes with message_start, the output's with message_delta."""

    request_id_header = "request-id"
    pays_for_writing = True
    # The index of the content block that is being written.
    _block = -1
    _is_in_text = False

    @staticmethod
    def read(body: Body) -> Asked:
        tools = objects(body.get("tools"))
        said = [one for message in objects(body.get("messages")) for one in _said(message)]
        return Asked(
            model=str(body.get("model", "")),
            system=words(body.get("system")),
            said=tuple(said),
            tools={str(one.get("name")): part(one, "input_schema") for one in tools},
            max_output_tokens=body.get("max_tokens"),
            is_stream=bool(body.get("stream")),
        )

    @staticmethod
    def blocks(body: Body) -> list[Block]:
        found = [_block(one) for one in objects(body.get("tools"))]
        found += [_block(one) for one in _contents(body.get("system"))]
        for message in objects(body.get("messages")):
            found += [_block(one) for one in _contents(message.get("content"))]
        return found

    def begin(self) -> bytes:
        counted = {**_input_usage(self.usage), "output_tokens": 1}
        message: Body = {**self._head(), "content": [], "stop_reason": None, "usage": counted}
        return named([{"type": "message_start", "message": message}, {"type": "ping"}])

    def think(self, thoughts: str) -> bytes:
        begun = self._begin_block({"type": "thinking", "thinking": "", "signature": ""})
        told = self._delta({"type": "thinking_delta", "thinking": thoughts})
        signed = self._delta({"type": "signature_delta", "signature": "c2lnbmVk"})
        ended = self._end_block()
        return named([begun, told, signed, ended])

    def word(self, delta: str) -> bytes:
        events: list[Body] = []
        if not self._is_in_text:
            self._is_in_text = True
            events.append(self._begin_block({"type": "text", "text": ""}))
        events.append(self._delta({"type": "text_delta", "text": delta}))
        return named(events)

    def end(self, reply: Reply, *, tells_usage: bool) -> bytes:
        events: list[Body] = [self._end_block()] if self._is_in_text else []
        for call in reply.calls:
            empty: Body = {"type": "tool_use", "id": call.id, "name": call.name, "input": {}}
            arguments = {"type": "input_json_delta", "partial_json": json.dumps(call.arguments)}
            events += [self._begin_block(empty), self._delta(arguments), self._end_block()]
        last: Body = {"type": "message_delta", "delta": _stop(reply)}
        if tells_usage:
            last["usage"] = {"output_tokens": self.usage.output}
        return named([*events, last, {"type": "message_stop"}])

    def failure(self, message: str) -> bytes:
        return named([self.error(529, message)])

    def whole(self, reply: Reply) -> Body:
        content: list[Body] = [{"type": "text", "text": reply.text}] if reply.text else []
        for call in reply.calls:
            used = {"type": "tool_use", "id": call.id, "name": call.name}
            content.append({**used, "input": call.arguments})
        counted = {**_input_usage(self.usage), "output_tokens": self.usage.output}
        return {**self._head(), "content": content, **_stop(reply), "usage": counted}

    @staticmethod
    def error(status: int, message: str) -> Body:
        kind = ERRORS.get(status, "invalid_request_error" if status < 500 else "api_error")
        return {"type": "error", "error": {"type": kind, "message": message}}

    def _head(self) -> Body:
        return {"id": f"msg_{self.id}", "type": "message", "role": "assistant", "model": self.model}

    def _begin_block(self, block: Body) -> Body:
        self._block += 1
        return {"type": "content_block_start", "index": self._block, "content_block": block}

    def _delta(self, delta: Body) -> Body:
        return {"type": "content_block_delta", "index": self._block, "delta": delta}

    def _end_block(self) -> Body:
        return {"type": "content_block_stop", "index": self._block}


def _contents(content: object) -> list[Body]:
    return [{"type": "text", "text": content}] if isinstance(content, str) else objects(content)


def _block(one: Body) -> Block:
    """Nothing is kept but what ends where the request says so."""
    kept = part(one, "cache_control")
    seconds = HOUR if kept.get("ttl") == "1h" else 5 * MINUTES
    return block(one, seconds if kept else None)


def _said(message: Body) -> list[Said]:
    """A message may hold the results of several tools, and words beside them."""
    content = message.get("content")
    blocks = _contents(content)
    said = [
        Said("tool", words(block.get("content")), _pictures(objects(block.get("content"))))
        for block in blocks
        if block.get("type") == "tool_result"
    ]
    text, pictures = words(blocks), _pictures(blocks)
    calls = tuple(
        ToolCall(str(block.get("id")), str(block.get("name")), part(block, "input"))
        for block in blocks
        if block.get("type") == "tool_use"
    )
    if message.get("role") == "assistant":
        return [Said("assistant", text, calls=calls)]
    if text or pictures or not said:
        said.append(Said("user", text, pictures))
    return said


def _pictures(blocks: list[Body]) -> tuple[Picture, ...]:
    sources = [part(block, "source") for block in blocks if block.get("type") == "image"]
    return tuple(picture(str(one.get("media_type")), str(one.get("data", ""))) for one in sources)


def _stop(reply: Reply) -> Body:
    reason = "tool_use" if reply.calls else "max_tokens" if reply.is_cut else "end_turn"
    return {"stop_reason": reason, "stop_sequence": None}


def _input_usage(usage: Usage) -> Body:
    created = {
        "ephemeral_1h_input_tokens": usage.cache_write_hour,
        "ephemeral_5m_input_tokens": usage.cache_write - usage.cache_write_hour,
    }
    return {
        "input_tokens": usage.input,
        "cache_creation_input_tokens": usage.cache_write,
        "cache_creation": created,
        "cache_read_input_tokens": usage.cache_read,
    }
