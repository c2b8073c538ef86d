"""Counts an answer while its bytes pass by."""

from collections.abc import Callable

from agent.meter.sse import JsonEvents
from agent.meter.wires import Body, Format, Tally


class Counter:
    """Feeds a tally from the bytes of an answer, streamed or whole."""

    def __init__(
        self, wire: Format, *, is_stream: bool, on_thought: Callable[[str], object] = len
    ) -> None:
        self.tally = Tally()
        # Of an answer that is not streamed nobody looks at what it says.
        self.tally.has_said = not is_stream
        self._on_thought = on_thought
        self._wire = wire
        self._events = JsonEvents(is_stream=is_stream)

    def feed(self, chunk: bytes) -> None:
        for event in self._events.feed(chunk):
            self._read(event)

    def finish(self) -> None:
        """Say that no more bytes will come."""
        for event in self._events.finish():
            self._read(event)

    def _read(self, event: Body) -> None:
        self._wire.read(event, self.tally)
        self.tally.has_said = self.tally.has_said or self._wire.says(event)
        if thought := self._wire.thoughts(event):
            self._on_thought(thought)
