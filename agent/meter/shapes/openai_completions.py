"""What may be asked of chat completions, OpenAI's and those of compatible servers."""

from agent.meter.shapes.base import (
    Cut,
    NotAllowed,
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
from agent.meter.wires.base import is_function

# Some compatible servers have Anthropic's models behind them.
CACHE = fields({"type": one_of("ephemeral")})
CONTENT = by_type(
    {
        "text": {"text": text, "cache_control": CACHE},
        "refusal": {"refusal": text},
        "image_url": {
            "image_url": fields({"url": inline_image, "detail": one_of("auto", "low", "high")}),
            "cache_control": CACHE,
        },
    }
)
TOOL_CALL = fields(
    {
        "id": text,
        "type": one_of("function"),
        "function": fields({"name": text, "arguments": text}),
        # How Gemini knows its own thoughts again.
        "extra_content": fields({"google": fields({"thought_signature": text})}),
    }
)
MESSAGE = fields(
    {
        "role": one_of("system", "developer", "user", "assistant", "tool"),
        "content": text_or(each(CONTENT)),
        "name": text,
        "tool_calls": each(TOOL_CALL),
        "tool_call_id": text,
        "refusal": text,
        # Thoughts, by the names that servers have for them.
        "reasoning": text,
        "reasoning_content": text,
        "reasoning_text": text,
        "reasoning_details": each(anything),
    }
)
TOOL = fields(
    {
        "type": one_of("function"),
        "function": fields(
            {"name": text, "description": text, "parameters": anything, "strict": flag}
        ),
        "cache_control": CACHE,
    }
)
FORMAT = fields(
    {"type": one_of("text", "json_object", "json_schema"), "json_schema": anything},
)
SWITCHES = {"enable_thinking": flag, "preserve_thinking": flag}


def not_stored(value: object, cut: Cut) -> object:
    """Take the wish that nothing be stored, and no other."""
    del cut
    if value is not False:
        raise NotAllowed("an answer that the provider keeps")
    return value


REQUEST = fields(
    {
        "model": text,
        "messages": each(MESSAGE),
        "stream": flag,
        "stream_options": fields({"include_usage": flag}),
        "max_tokens": number,
        "max_completion_tokens": number,
        "tools": tools(is_function, TOOL),
        "tool_choice": text_or(
            fields({"type": one_of("function"), "function": fields({"name": text})})
        ),
        "parallel_tool_calls": flag,
        "tool_stream": flag,
        "response_format": FORMAT,
        "temperature": number,
        "top_p": number,
        "frequency_penalty": number,
        "presence_penalty": number,
        "seed": number,
        "stop": text_or(each(text)),
        "store": not_stored,
        "reasoning_effort": text,
        "reasoning": fields({"effort": text, "enabled": flag}),
        "thinking": fields({"type": one_of("enabled", "disabled"), "clear_thinking": flag}),
        "enable_thinking": flag,
        "chat_template_kwargs": fields(SWITCHES),
    }
)
