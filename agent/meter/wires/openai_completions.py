"""OpenAI's chat completions, which all the compatible servers speak too."""

from agent.meter.call_ledger import Usage
from agent.meter.wires.base import (
    RUNTIME,
    Body,
    Format,
    Tally,
    Words,
    are_said,
    drop_empty_tools,
    note_error,
    number,
    part,
    parts,
    size,
    texts,
    words_in,
)

# The roles of instructions.
TOLD = {"system", "developer"}
# Thoughts, by the names that servers have for them; and what else stands beside the words.
THOUGHTS = ("reasoning_content", "reasoning")
UNSAID = (*THOUGHTS, "refusal")


class OpenAICompletions(Format):
    """Usage comes in the last chunk, if it was asked for. `prompt_tokens` include the cache's."""

    def output_cap(self, body: Body) -> int | None:
        return number(body.get("max_completion_tokens")) or number(body.get("max_tokens")) or None

    def prepare(self, body: Body, cap: int) -> None:
        # The newer name, unless the client speaks to a server that knows only the older one. Where
        # both stand a server may go by either.
        older = body.pop("max_tokens", None) is not None
        newer = body.pop("max_completion_tokens", None) is not None
        body["max_tokens" if older and not newer else "max_completion_tokens"] = cap
        drop_empty_tools(body)
        if body.get("stream"):
            body["stream_options"] = {**part(body, "stream_options"), "include_usage": True}

    def read(self, event: Body, tally: Tally) -> None:
        for choice in parts(event, "choices"):
            delta = part(choice, "delta")
            tally.words_bytes += sum(size(delta.get(name)) for name in ("content", *UNSAID))
            for call in parts(delta, "tool_calls"):
                tally.words_bytes += size(part(call, "function").get("arguments"))
        note_error(part(event, "error"), tally)
        usage = part(event, "usage")
        if usage:
            tally.usage = usage_of(usage, "prompt_tokens", "completion_tokens")
            tally.is_final = True

    def thoughts(self, event: Body) -> str:
        deltas = [part(choice, "delta") for choice in parts(event, "choices")]
        found = (delta.get(name) for delta in deltas for name in THOUGHTS)
        return "".join(text for text in found if isinstance(text, str))

    def says(self, event: Body) -> bool:
        deltas = [part(choice, "delta") for choice in parts(event, "choices")]
        is_more = any(delta.get("refusal") or parts(delta, "tool_calls") for delta in deltas)
        return is_more or are_said(self.words(event))

    def think(self, body: Body, *, is_longer: bool) -> None:
        if is_longer and "reasoning_effort" in body:
            body["reasoning_effort"] = "high"

    def instructions(self, body: Body) -> list[str]:
        told = [one for one in parts(body, "messages")[:1] if one.get("role") in TOLD]
        return [text for one in told for text in texts(one.get("content"))]

    def instruct(self, body: Body, shared: str, own: str) -> None:
        # In one text: not all compatible servers know parts of one.
        body["messages"][0]["content"] = f"{shared}{own}"
        for message in parts(body, "messages"):
            if message.get("role") == "user":
                _drop_runtime(message)

    def words(self, event: Body) -> list[Words]:
        choices = parts(event, "choices")
        return [
            place
            for choice in choices
            for place in words_in(part(choice, "delta"), "content", choice.get("index"))
        ]


def _drop_runtime(message: Body) -> None:
    """Leave out what OpenClaw writes of itself behind a message."""
    content = message.get("content")
    if isinstance(content, str):
        message["content"] = RUNTIME.sub("", content)
    for piece in parts(message, "content"):
        if isinstance(piece.get("text"), str):
            piece["text"] = RUNTIME.sub("", piece["text"])


def usage_of(usage: Body, input_name: str, output_name: str) -> Usage:
    """Read OpenAI's usage, whose input includes what was read from and written to the cache."""
    details = part(usage, f"{input_name}_details")
    read = number(details.get("cached_tokens"))
    written = number(details.get("cache_write_tokens"))
    return Usage(
        input_tokens=max(0, number(usage.get(input_name)) - read - written),
        output_tokens=number(usage.get(output_name)),
        cache_read_tokens=read,
        cache_write_tokens=written,
    )
