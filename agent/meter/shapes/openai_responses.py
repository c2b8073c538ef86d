"""What may be asked of OpenAI's Responses API."""

from agent.meter.shapes.base import (
    Cut,
    anything,
    by_type,
    each,
    fields,
    flag,
    inline_image,
    number,
    one_of,
    text,
    text_or,
    tools,
)
from agent.meter.shapes.openai_completions import not_stored
from agent.meter.wires.base import is_function

SHOWN = {
    "input_text": {"text": text},
    "input_image": {"image_url": inline_image, "detail": one_of("auto", "low", "high")},
}


def no_sources(value: object, cut: Cut) -> object:
    """Leave out where the words of an earlier answer came from."""
    cut.left_out += bool(value)
    return []


SAID = {"output_text": {"text": text, "annotations": no_sources}, "refusal": {"refusal": text}}
THOUGHTS = each(by_type({"summary_text": {"text": text}, "reasoning_text": {"text": text}}))
# No item is named by an id: the provider is never asked to remember one.
ITEM = by_type(
    {
        "message": {
            "role": one_of("system", "developer", "user", "assistant"),
            "content": text_or(each(by_type({**SHOWN, **SAID}))),
            "status": text,
            "phase": text,
        },
        "function_call": {"call_id": text, "name": text, "arguments": text, "status": text},
        "function_call_output": {
            "call_id": text,
            "output": text_or(each(by_type(SHOWN))),
            "status": text,
        },
        "reasoning": {
            "summary": THOUGHTS,
            "content": THOUGHTS,
            "encrypted_content": text,
            "status": text,
        },
    },
    default="message",
)
TOOL = fields(
    {
        "type": one_of("function"),
        "name": text,
        "description": text,
        "parameters": anything,
        "strict": flag,
    }
)
FORMAT = fields(
    {
        "type": one_of("text", "json_object", "json_schema"),
        "name": text,
        "description": text,
        "schema": anything,
        "strict": flag,
    }
)
REQUEST = fields(
    {
        "model": text,
        "instructions": text,
        "input": text_or(each(ITEM)),
        "stream": flag,
        "store": not_stored,
        "max_output_tokens": number,
        "tools": tools(is_function, TOOL),
        "tool_choice": text_or(fields({"type": one_of("function"), "name": text})),
        "parallel_tool_calls": flag,
        "include": each(one_of("reasoning.encrypted_content")),
        "reasoning": fields({"effort": text, "summary": text}),
        "text": fields({"format": FORMAT, "verbosity": text}),
        "temperature": number,
        "top_p": number,
    }
)
