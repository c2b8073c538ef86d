"""Anthropic's Messages API."""

from agent.meter.call_ledger import Usage
from agent.meter.wires.base import (
    Body,
    Format,
    Tally,
    Words,
    drop_empty_tools,
    note_error,
    number,
    part,
    size,
    texts,
    words_in,
)

CACHED = {"type": "ephemeral"}


class AnthropicMessages(Format):
    """Usage comes in two halves: the input with message_start, the output with message_delta.

    Its `input_tokens` leave cache reads and writes out, as ours do.
    """

    def output_cap(self, body: Body) -> int | None:
        return number(body.get("max_tokens")) or None

    def prepare(self, body: Body, cap: int) -> None:
        body["max_tokens"] = cap
        # The provider refuses a budget for thinking that is not below the cap.
        if number(part(body, "thinking").get("budget_tokens")) >= cap:
            del body["thinking"]
        drop_empty_tools(body)

    def read(self, event: Body, tally: Tally) -> None:
        kind = event.get("type")
        if kind == "message_start":
            _count(part(part(event, "message"), "usage"), tally)
            tally.has_input = True
        elif kind == "message_delta":
            _count(part(event, "usage"), tally)
            tally.is_final = bool(part(event, "usage"))
        elif kind == "error":
            note_error(part(event, "error"), tally)
        elif kind == "content_block_delta":
            delta = part(event, "delta")
            tally.words_bytes += sum(
                size(delta.get(name)) for name in ("text", "thinking", "partial_json")
            )
        elif kind == "message":
            _count(part(event, "usage"), tally)
            tally.is_final = bool(part(event, "usage"))

    def words(self, event: Body) -> list[Words]:
        at = event.get("index")
        block, delta = part(event, "content_block"), part(event, "delta")
        found = words_in(block, "text", at) if block.get("type") == "text" else []
        return [*found, *(words_in(delta, "text", at) if delta.get("type") == "text_delta" else [])]

    def instructions(self, body: Body) -> list[str]:
        return texts(body.get("system"))

    def instruct(self, body: Body, shared: str, own: str) -> None:
        # A breakpoint of the cache behind each: the first is everybody's.
        told = [{"type": "text", "text": text, "cache_control": CACHED} for text in (shared, own)]
        body["system"] = told

    def refusal(self, message: str) -> Body:
        return {"type": "error", "error": {"type": "invalid_request_error", "message": message}}


def _count(usage: Body, tally: Tally) -> None:
    known = tally.usage
    # Each field that a later event repeats is the running total; one that it lacks stays.
    tally.usage = Usage(
        input_tokens=_told(usage, "input_tokens", known.input_tokens),
        output_tokens=_told(usage, "output_tokens", known.output_tokens),
        cache_read_tokens=_told(usage, "cache_read_input_tokens", known.cache_read_tokens),
        cache_write_tokens=_told(usage, "cache_creation_input_tokens", known.cache_write_tokens),
    )


def _told(usage: Body, name: str, known: int) -> int:
    value = usage.get(name)
    return value if isinstance(value, int) else known
