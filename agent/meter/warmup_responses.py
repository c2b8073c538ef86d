"""Answers for the warm-up turns of a blank spare: they cost nothing and reach no provider.

OpenClaw loads much of itself when it first streams an answer and first uses a tool, so a spare is
made to do both before a person needs it.
"""

import json
from typing import Any

from agent.catalogue import Wire
from agent.meter.wires import Body

# In the message of a warm-up turn: answer with a call to this tool first.
TOOL_MARK = "[[warm-up: ls]]"
TOOL = "ls"
ARGUMENTS = json.dumps({"path": "."})
WORDS = "Ready."
# How the formats mark what a tool has answered.
TOOL_ANSWERS = (
    '"role":"tool"',
    '"type":"tool_result"',
    '"type":"function_call_output"',
    '"functionResponse"',
)
# Letters only: OpenClaw takes other marks out.
CALL_ID = "callwarmup"
USAGE = {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}


def answer(wire: Wire, body: Body) -> bytes:
    """Write the event stream that answers a warm-up request in its own format."""
    wants_tool = _wants_tool(body)
    if wire == "anthropic-messages":
        return _named(_anthropic(wants_tool=wants_tool))
    if wire == "openai-responses":
        return _named(_responses(wants_tool=wants_tool))
    if wire == "google-generative-ai":
        return _plain(_google(wants_tool=wants_tool))
    return _plain(_completions(wants_tool=wants_tool)) + b"data: [DONE]\n\n"


def _wants_tool(body: Body) -> bool:
    """Whether the mark is in the request, and no tool has answered since."""
    whole = json.dumps(body, separators=(",", ":"))
    asked = whole.rfind(TOOL_MARK)
    return asked >= 0 and not any(answered in whole[asked:] for answered in TOOL_ANSWERS)


def _completions(*, wants_tool: bool) -> list[Body]:
    delta: dict[str, Any] = {"role": "assistant", "content": WORDS}
    if wants_tool:
        function = {"name": TOOL, "arguments": ARGUMENTS}
        call = {"index": 0, "id": CALL_ID, "type": "function", "function": function}
        delta = {"role": "assistant", "content": None, "tool_calls": [call]}
    end = "tool_calls" if wants_tool else "stop"
    head = {"id": "warmup", "object": "chat.completion.chunk", "created": 0, "model": "warmup"}
    return [
        {**head, "choices": [{"index": 0, "delta": delta, "finish_reason": None}]},
        {**head, "choices": [{"index": 0, "delta": {}, "finish_reason": end}]},
        {**head, "choices": [], "usage": USAGE},
    ]


def _anthropic(*, wants_tool: bool) -> list[Body]:
    block: Body = {"type": "text", "text": ""}
    delta: Body = {"type": "text_delta", "text": WORDS}
    if wants_tool:
        block = {"type": "tool_use", "id": CALL_ID, "name": TOOL, "input": {}}
        delta = {"type": "input_json_delta", "partial_json": ARGUMENTS}
    message: Body = {
        "id": "warmup",
        "type": "message",
        "role": "assistant",
        "model": "warmup",
        "content": [],
        "stop_reason": None,
        "stop_sequence": None,
        "usage": {"input_tokens": 1, "output_tokens": 1},
    }
    end = {"stop_reason": "tool_use" if wants_tool else "end_turn", "stop_sequence": None}
    return [
        {"type": "message_start", "message": message},
        {"type": "content_block_start", "index": 0, "content_block": block},
        {"type": "content_block_delta", "index": 0, "delta": delta},
        {"type": "content_block_stop", "index": 0},
        {"type": "message_delta", "delta": end, "usage": {"output_tokens": 1}},
        {"type": "message_stop"},
    ]


def _responses(*, wants_tool: bool) -> list[Body]:
    item: Body = {
        "id": "item_warmup",
        "type": "message",
        "role": "assistant",
        "status": "completed",
        "content": [{"type": "output_text", "text": WORDS, "annotations": []}],
    }
    delta: Body = {
        "type": "response.output_text.delta",
        "item_id": "item_warmup",
        "content_index": 0,
        "delta": WORDS,
    }
    if wants_tool:
        item = {
            "id": "item_warmup",
            "type": "function_call",
            "call_id": CALL_ID,
            "name": TOOL,
            "arguments": ARGUMENTS,
            "status": "completed",
        }
        delta = {
            "type": "response.function_call_arguments.delta",
            "item_id": "item_warmup",
            "delta": ARGUMENTS,
        }
    usage = {"input_tokens": 1, "output_tokens": 1, "total_tokens": 2}
    whole: Body = {
        "id": "warmup",
        "object": "response",
        "created_at": 0,
        "model": "warmup",
        "status": "completed",
        "output": [item],
        "usage": usage,
    }
    begun: Body = {**whole, "status": "in_progress", "output": [], "usage": None}
    empty: Body = {"arguments": ""} if wants_tool else {"content": []}
    bare: Body = {**item, "status": "in_progress", **empty}
    text: Body = {"type": "output_text", "text": "", "annotations": []}
    part = {"type": "response.content_part.added", "item_id": "item_warmup", "content_index": 0}
    events: list[Body] = [
        {"type": "response.created", "response": begun},
        {"type": "response.output_item.added", "output_index": 0, "item": bare},
        *([] if wants_tool else [{**part, "output_index": 0, "part": text}]),
        {**delta, "output_index": 0},
        {"type": "response.output_item.done", "output_index": 0, "item": item},
        {"type": "response.completed", "response": whole},
    ]
    return [{**event, "sequence_number": number} for number, event in enumerate(events)]


def _google(*, wants_tool: bool) -> list[Body]:
    part: Body = {"text": WORDS}
    if wants_tool:
        part = {"functionCall": {"name": TOOL, "args": json.loads(ARGUMENTS)}}
    candidate: Body = {
        "index": 0,
        "content": {"role": "model", "parts": [part]},
        "finishReason": "STOP",
    }
    usage = {"promptTokenCount": 1, "candidatesTokenCount": 1, "totalTokenCount": 2}
    return [{"candidates": [candidate], "usageMetadata": usage, "modelVersion": "warmup"}]


def _plain(events: list[Body]) -> bytes:
    return b"".join(b"data: " + json.dumps(event).encode() + b"\n\n" for event in events)


def _named(events: list[Body]) -> bytes:
    return b"".join(
        f"event: {event['type']}\ndata: {json.dumps(event)}\n\n".encode() for event in events
    )
