"""OpenAI's Responses API."""

import re

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
from agent.meter.wires.openai_completions import usage_of

# The roles of instructions.
TOLD = {"system", "developer"}
# The first models for which it can be said where a kept beginning ends; older ones find out for
# themselves. One end of four in all is set by the provider, behind all of a request.
MARKED_SINCE = re.compile(r"gpt-(\d+)(?:\.(\d+))?(?:-|$)")
FIRST_MARKED = (5, 6)
MOST_TOLD = 2
ENDS = {"response.completed", "response.incomplete", "response.failed"}


class OpenAIResponses(Format):
    """Usage comes inside the response object of the last event."""

    def output_cap(self, body: Body) -> int | None:
        return number(body.get("max_output_tokens")) or None

    def prepare(self, body: Body, cap: int) -> None:
        body["max_output_tokens"] = cap
        # Unless told so, OpenAI keeps what was asked and answered.
        body["store"] = False
        drop_empty_tools(body)

    def read(self, event: Body, tally: Tally) -> None:
        kind = event.get("type")
        if kind in ENDS:
            response = part(event, "response")
            note_error(part(response, "error"), tally)
            self._finish(part(response, "usage"), tally)
        elif kind == "error":
            note_error(event, tally)
        elif event.get("object") == "response":
            self._finish(part(event, "usage"), tally)
        elif isinstance(kind, str) and kind.endswith(".delta"):
            tally.words_bytes += size(event.get("delta"))

    def words(self, event: Body) -> list[Words]:
        """Each text comes in pieces, and then whole: by itself, in its item and in the response."""
        kind = event.get("type")
        if kind == "response.output_text.delta":
            return words_in(event, "delta", (event.get("output_index"), event.get("content_index")))
        items = [part(event, "item"), *parts(part(event, "response"), "output")]
        contents = [part(event, "part")]
        contents += [one for item in items for one in parts(item, "content")]
        if kind == "response.output_text.done":
            contents.append(event)
        said = [one for one in contents if one.get("type") in {"output_text", kind}]
        return [place for one in said for place in words_in(one, "text", is_whole=True)]

    def thoughts(self, event: Body) -> str:
        kind = event.get("type")
        if kind == "response.reasoning_summary_part.added":
            # Each part begins with a title in a line of its own.
            return "\n\n"
        return str(event.get("delta")) if kind == "response.reasoning_summary_text.delta" else ""

    def says(self, event: Body) -> bool:
        kind = event.get("type")
        is_call = part(event, "item").get("type") == "function_call"
        is_refusal = kind == "response.refusal.delta" and bool(event.get("delta"))
        return is_call or is_refusal or are_said(self.words(event))

    def think(self, body: Body, *, is_longer: bool) -> None:
        if is_longer and part(body, "reasoning"):
            body["reasoning"]["effort"] = "high"

    def instructions(self, body: Body) -> list[str]:
        told = [one for one in parts(body, "input")[:1] if one.get("role") in TOLD]
        said = [text for one in told for text in texts(one.get("content"))]
        return [*texts(body.get("instructions")), *said]

    def instruct(self, body: Body, shared: str, own: str) -> None:
        body.pop("instructions", None)
        said = parts(body, "input")
        told = said[0] if said and said[0].get("role") in TOLD else {"role": "developer"}
        content = [{"type": "input_text", "text": text} for text in (shared, own)]
        body["input"] = [
            {**told, "type": "message", "content": content},
            *(said[1:] if told in said[:1] else said),
        ]

    def keep(self, body: Body, keeping: Keeping) -> None:
        body["prompt_cache_key"] = keeping.key
        version = MARKED_SINCE.match(keeping.model)
        if version is None or (int(version[1]), int(version[2] or 0)) < FIRST_MARKED:
            return
        told = [one for one in parts(body, "input")[:1] if one.get("role") in TOLD]
        for piece in [piece for one in told for piece in parts(one, "content")][:MOST_TOLD]:
            piece["prompt_cache_breakpoint"] = {"mode": "explicit"}

    def _finish(self, usage: Body, tally: Tally) -> None:
        if usage:
            tally.usage = usage_of(usage, "input_tokens", "output_tokens")
            tally.is_final = True
