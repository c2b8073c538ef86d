"""OpenAI's Responses API."""

from agent.meter.wires.base import Body, Format, Tally, number, part, size
from agent.meter.wires.openai_completions import usage_of

ENDS = {"response.completed", "response.incomplete", "response.failed"}


class OpenAIResponses(Format):
    """Usage comes inside the response object of the last event."""

    def output_cap(self, body: Body) -> int | None:
        return number(body.get("max_output_tokens")) or None

    def prepare(self, body: Body, cap: int) -> None:
        body["max_output_tokens"] = cap

    def read(self, event: Body, tally: Tally) -> None:
        kind = event.get("type")
        if kind in ENDS:
            self._finish(part(part(event, "response"), "usage"), tally)
        elif event.get("object") == "response":
            self._finish(part(event, "usage"), tally)
        elif isinstance(kind, str) and kind.endswith(".delta"):
            tally.words_bytes += size(event.get("delta"))

    def _finish(self, usage: Body, tally: Tally) -> None:
        if usage:
            tally.usage = usage_of(usage, "input_tokens", "output_tokens")
            tally.is_final = True
