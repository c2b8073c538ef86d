"""Anthropic's Messages API."""

from agent.meter.call_ledger import Usage
from agent.meter.wires.base import (
    Body,
    Format,
    Keeping,
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

# The provider takes four ends of kept beginnings in all, at these parts, and at no empty text.
MOST_TOLD = 2
KEPT_TYPES = {"text", "image", "tool_use", "tool_result"}


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

    def thoughts(self, event: Body) -> str:
        delta = part(event, "delta")
        return str(delta.get("thinking")) if delta.get("type") == "thinking_delta" else ""

    def says(self, event: Body) -> bool:
        return part(event, "content_block").get("type") == "tool_use" or are_said(self.words(event))

    def think(self, body: Body, *, is_longer: bool) -> None:
        if is_longer and part(body, "thinking").get("type") == "adaptive":
            body["output_config"] = {**part(body, "output_config"), "effort": "high"}

    def instructions(self, body: Body) -> list[str]:
        return texts(body.get("system"))

    def instruct(self, body: Body, shared: str, own: str) -> None:
        body["system"] = [{"type": "text", "text": text} for text in (shared, own)]

    def keep(self, body: Body, keeping: Keeping) -> None:
        """Let a kept beginning end behind what everybody has, behind one's own, and at the end.

        What a cell says of it does not count. The first has the tools in it too.
        """
        kept = {"type": "ephemeral", **({"ttl": "1h"} if keeping.is_for_hour else {})}
        said = parts(body, "messages")
        blocks = [*parts(body, "tools"), *(one for each in said for one in parts(each, "content"))]
        for block in (*blocks, *_results(blocks), *parts(body, "system")):
            block.pop("cache_control", None)
        if isinstance(body.get("system"), str):
            body["system"] = [{"type": "text", "text": body["system"]}]
        last = said[-1:]
        if last and isinstance(last[0].get("content"), str):
            last[0]["content"] = [{"type": "text", "text": last[0]["content"]}]
        ends = [block for one in last for block in parts(one, "content")[-1:]]
        for block in (*parts(body, "system")[:MOST_TOLD], *ends):
            if block.get("text") != "" and block.get("type") in KEPT_TYPES:
                block["cache_control"] = kept

    def refusal(self, message: str) -> Body:
        return {"type": "error", "error": {"type": "invalid_request_error", "message": message}}


def _results(blocks: list[Body]) -> list[Body]:
    """List what tools have answered, which may have ends of kept beginnings too."""
    return [one for block in blocks for one in parts(block, "content")]


def _count(usage: Body, tally: Tally) -> None:
    known = tally.usage
    written = _told(usage, "cache_creation_input_tokens", known.cache_write_tokens)
    hourly = written if tally.is_for_hour else 0
    if split := part(usage, "cache_creation"):
        hourly = min(written, number(split.get("ephemeral_1h_input_tokens")))
    elif not usage.get("cache_creation_input_tokens"):
        hourly = known.cache_write_hour_tokens
    # Each field that a later event repeats is the running total; one that it lacks stays.
    tally.usage = Usage(
        input_tokens=_told(usage, "input_tokens", known.input_tokens),
        output_tokens=_told(usage, "output_tokens", known.output_tokens),
        cache_read_tokens=_told(usage, "cache_read_input_tokens", known.cache_read_tokens),
        cache_write_tokens=written,
        cache_write_hour_tokens=hourly,
    )


def _told(usage: Body, name: str, known: int) -> int:
    value = usage.get(name)
    return value if isinstance(value, int) else known
