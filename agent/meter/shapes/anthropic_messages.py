"""What may be asked of Anthropic's Messages API."""

from agent.meter.shapes.base import (
    anything,
    by_type,
    each,
    fields,
    flag,
    image_type,
    number,
    one_of,
    picture,
    text,
    text_or,
    tools,
)
from agent.meter.wires.base import is_function

# Without a time to live: an hour's is twice as dear as what is held for.
CACHE = fields({"type": one_of("ephemeral")})
TEXT = {"text": text, "cache_control": CACHE}
IMAGE = {
    "source": fields({"type": one_of("base64"), "media_type": image_type, "data": picture}),
    "cache_control": CACHE,
}
RESULT = text_or(each(by_type({"text": TEXT, "image": IMAGE})))
CONTENT = {
    "text": TEXT,
    "image": IMAGE,
    "thinking": {"thinking": text, "signature": text},
    "redacted_thinking": {"data": text},
    "tool_use": {"id": text, "name": text, "input": anything, "cache_control": CACHE},
    "tool_result": {
        "tool_use_id": text,
        "content": RESULT,
        "is_error": flag,
        "cache_control": CACHE,
    },
}
MESSAGE = fields(
    {
        "role": one_of("user", "assistant", "system"),
        "content": text_or(each(by_type(CONTENT))),
    }
)
TOOL = fields(
    {
        "type": one_of("custom"),
        "name": text,
        "description": text,
        "input_schema": anything,
        "cache_control": CACHE,
    }
)
TOOL_CHOICE = {
    "type": one_of("auto", "any", "tool", "none"),
    "name": text,
    "disable_parallel_tool_use": flag,
}
REQUEST = fields(
    {
        "model": text,
        "max_tokens": number,
        "stream": flag,
        "system": text_or(each(by_type({"text": TEXT}))),
        "messages": each(MESSAGE),
        "tools": tools(is_function, TOOL),
        "tool_choice": fields(TOOL_CHOICE),
        "thinking": fields(
            {
                "type": one_of("enabled", "disabled", "adaptive"),
                "budget_tokens": number,
                "display": text,
            }
        ),
        "output_config": fields({"effort": text}),
        "temperature": number,
        "top_p": number,
        "top_k": number,
        "stop_sequences": each(text),
    },
    # OpenClaw lets a dearer model answer what this one refuses, and the provider cut what is long.
    expected=frozenset({"fallbacks", "context_management"}),
)
