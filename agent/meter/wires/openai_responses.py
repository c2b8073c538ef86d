"""OpenAI's Responses API."""

from agent.meter.wires.base import (
    Body,
    Format,
    Tally,
    is_function,
    keep_tools,
    note_error,
    number,
    part,
    size,
)
from agent.meter.wires.openai_completions import usage_of

ENDS = {"response.completed", "response.incomplete", "response.failed"}


class OpenAIResponses(Format):
    """Usage comes inside the response object of the last event."""

    def output_cap(self, body: Body) -> int | None:
        return number(body.get("max_output_tokens")) or None

    def prepare(self, body: Body, cap: int) -> None:
        body["max_output_tokens"] = cap
        # In the background it would go on, and be billed, without us.
        for dearer in ("background", "service_tier"):
            body.pop(dearer, None)
        keep_tools(body, is_function)

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

    def _finish(self, usage: Body, tally: Tally) -> None:
        if usage:
            tally.usage = usage_of(usage, "input_tokens", "output_tokens")
            tally.is_final = True
