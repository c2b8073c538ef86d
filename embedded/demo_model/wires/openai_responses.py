"""OpenAI's Responses."""

import json
import time
from collections.abc import Sequence
from dataclasses import replace
from typing import cast

from embedded.demo_model.cache import MINUTES, Block, block
from embedded.demo_model.conversation import Asked, Body, Said, ToolCall, objects, part, words
from embedded.demo_model.reply import Reply, Usage
from embedded.demo_model.wires.base import Writer, json_object, named, picture_of_url
from embedded.demo_model.wires.openai_chat import INSTRUCTIONS, OpenAIChat

KEPT = 30 * MINUTES


class OpenAIResponses(Writer):
    """Every event has a number; the last has the whole response, with its usage."""

    pays_for_writing = True
    _number = 0
    _text = ""
    # At which place among what it puts out the words stand: thoughts come before.
    _first = 0
    _thought: Sequence[Body] = ()

    @staticmethod
    def read(body: Body) -> Asked:
        given = body.get("input")
        items = [{"role": "user", "content": given}] if isinstance(given, str) else objects(given)
        system = [words(one.get("content")) for one in items if one.get("role") in INSTRUCTIONS]
        said = [_said(item) for item in items if item.get("role") not in INSTRUCTIONS]
        tools = objects(body.get("tools"))
        return Asked(
            model=str(body.get("model", "")),
            system="\n".join([str(body.get("instructions") or ""), *system]),
            said=tuple(one for one in said if one is not None),
            tools={str(one.get("name")): part(one, "parameters") for one in tools},
            max_output_tokens=body.get("max_output_tokens"),
            is_stream=bool(body.get("stream")),
        )

    @staticmethod
    def blocks(body: Body) -> list[Block]:
        found = [block(one) for one in objects(body.get("tools"))]
        found += [block(str(body["instructions"]))] if body.get("instructions") else []
        for item in objects(body.get("input")):
            contents = objects(item.get("content")) or [item]
            found += [_block(one) for one in contents]
        # The provider sets one mark of its own, behind all of it.
        return [*found[:-1], replace(found[-1], kept_seconds=KEPT)] if found else []

    def begin(self) -> bytes:
        begun = self._response("in_progress", [])
        return self._events(
            {"type": "response.created", "response": begun},
            {"type": "response.in_progress", "response": begun},
        )

    def think(self, thoughts: str) -> bytes:
        """Tell the thoughts, if they were asked for."""
        item: Body = {"id": f"rs_{self.id}", "type": "reasoning", "summary": []}
        told = {"type": "summary_text", "text": thoughts}
        place = {"item_id": item["id"], "output_index": 0, "summary_index": 0}
        kind = "response.reasoning_summary"
        whole = {**item, "summary": [told], "encrypted_content": "c2VhbGVk"}
        events: list[Body] = [{"type": "response.output_item.added", "output_index": 0}]
        events[0]["item"] = item
        if part(self.body, "reasoning").get("summary"):
            blank = {**told, "text": ""}
            events.append({"type": f"{kind}_part.added", **place, "part": blank})
            events.append({"type": f"{kind}_text.delta", **place, "delta": thoughts})
            events.append({"type": f"{kind}_text.done", **place, "text": thoughts})
            events.append({"type": f"{kind}_part.done", **place, "part": told})
        events.append({"type": "response.output_item.done", "output_index": 0, "item": whole})
        self._first, self._thought = 1, [whole]
        return self._events(*events)

    def refuse(self, words: str) -> bytes:
        bare: Body = {**self._message(""), "status": "in_progress", "content": []}
        refusal = {"type": "refusal", "refusal": words}
        whole = {**self._message(""), "content": [refusal]}
        place = {"output_index": self._first, "item": bare}
        return self._events(
            {"type": "response.output_item.added", **place},
            {**self._at("content_part.added"), "part": {"type": "refusal", "refusal": ""}},
            {**self._at("refusal.delta"), "delta": words},
            {**self._at("refusal.done"), "refusal": words},
            {**self._at("content_part.done"), "part": refusal},
            {"type": "response.output_item.done", **place, "item": whole},
        )

    def word(self, delta: str) -> bytes:
        events: list[Body] = []
        if not self._text:
            bare: Body = {**self._message(""), "status": "in_progress", "content": []}
            events.append(
                {"type": "response.output_item.added", "output_index": self._first, "item": bare}
            )
            events.append({**self._at("content_part.added"), "part": _text_part("")})
        self._text += delta
        events.append({**self._at("output_text.delta"), "delta": delta})
        return self._events(*events)

    def end(self, reply: Reply, *, tells_usage: bool) -> bytes:
        events: list[Body] = []
        if self._text:
            done = self._message(self._text)
            events.append({**self._at("output_text.done"), "text": self._text})
            events.append({**self._at("content_part.done"), "part": _text_part(self._text)})
            events.append(
                {"type": "response.output_item.done", "output_index": self._first, "item": done}
            )
        for at, call in enumerate(reply.calls, start=self._first + (len(events) and 1)):
            events += _call_events(at, call)
        status = "incomplete" if reply.is_cut else "completed"
        response = self._response(status, self._output(reply), tells_usage=tells_usage)
        return self._events(*events, {"type": f"response.{status}", "response": response})

    def failure(self, message: str) -> bytes:
        told = {"code": "server_error", "message": message, "param": None}
        return self._events({"type": "error", **told})

    def whole(self, reply: Reply) -> Body:
        status = "incomplete" if reply.is_cut else "completed"
        return self._response(status, self._output(reply), tells_usage=True)

    @staticmethod
    def error(status: int, message: str) -> Body:
        return OpenAIChat.error(status, message)

    def _events(self, *events: Body) -> bytes:
        numbered = [
            {**event, "sequence_number": self._number + at} for at, event in enumerate(events)
        ]
        self._number += len(events)
        return named(numbered)

    def _at(self, kind: str) -> Body:
        place: Body = {"item_id": f"msg_{self.id}", "output_index": self._first}
        place["content_index"] = 0
        return {"type": f"response.{kind}", **place}

    def _output(self, reply: Reply) -> list[Body]:
        spoken = [self._message(reply.text)] if reply.text else []
        return [*self._thought, *spoken, *(_item(call) for call in reply.calls)]

    def _message(self, text: str) -> Body:
        item = {"id": f"msg_{self.id}", "type": "message", "role": "assistant"}
        return {**item, "status": "completed", "content": [_text_part(text)]}

    def _response(self, status: str, output: list[Body], *, tells_usage: bool = False) -> Body:
        why = {"reason": "max_output_tokens"} if status == "incomplete" else None
        return {
            "id": f"resp_{self.id}",
            "object": "response",
            "created_at": int(time.time()),
            "status": status,
            "error": None,
            "incomplete_details": why,
            "model": self.model,
            "output": output,
            "parallel_tool_calls": True,
            "tool_choice": "auto",
            "tools": [],
            "usage": _usage(self.usage) if tells_usage else None,
        }


def _said(item: Body) -> Said | None:
    kind, content = item.get("type"), item.get("content")
    if kind == "function_call":
        call_id, arguments = str(item.get("call_id")), json_object(item.get("arguments"))
        return Said("assistant", calls=(ToolCall(call_id, str(item.get("name")), arguments),))
    if kind == "function_call_output":
        return Said("tool", words(item.get("output")))
    if item.get("role") == "assistant":
        return Said("assistant", words(content))
    if item.get("role") == "user":
        urls = [one.get("image_url") for one in objects(content) if "image_url" in one]
        return Said("user", words(content), tuple(picture_of_url(str(url)) for url in urls))
    # Reasoning that is sent back has nothing to say to us.
    return None


def _block(one: Body) -> Block:
    return block(one, KEPT if "prompt_cache_breakpoint" in one else None)


def _text_part(text: str) -> Body:
    return {"type": "output_text", "text": text, "annotations": []}


def _item(call: ToolCall) -> Body:
    item = {"id": f"fc_{call.id}", "type": "function_call", "status": "completed"}
    arguments = json.dumps(call.arguments)
    return {**item, "call_id": call.id, "name": call.name, "arguments": arguments}


def _call_events(at: int, call: ToolCall) -> list[Body]:
    item = _item(call)
    place = {"item_id": item["id"], "output_index": at}
    arguments = cast(str, item["arguments"])
    bare = {**item, "status": "in_progress", "arguments": ""}
    kind = "response.function_call_arguments"
    return [
        {"type": "response.output_item.added", "output_index": at, "item": bare},
        {"type": f"{kind}.delta", **place, "delta": arguments},
        {"type": f"{kind}.done", **place, "arguments": arguments},
        {"type": "response.output_item.done", "output_index": at, "item": item},
    ]


def _usage(usage: Usage) -> Body:
    # Input tokens include those of the cache.
    details = {"cached_tokens": usage.cache_read, "cache_write_tokens": usage.cache_write}
    return {
        "input_tokens": usage.whole_input,
        "input_tokens_details": details,
        "output_tokens": usage.output,
        "output_tokens_details": {"reasoning_tokens": usage.thoughts},
        "total_tokens": usage.whole_input + usage.output,
    }
