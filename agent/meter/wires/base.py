"""What every wire has in common."""

import math
from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import Any, cast

from agent.meter.books import Usage
from agent.meter.sse import JsonEvents

Body = dict[str, Any]

# An image costs about this many tokens at most, however many bytes encode it.
IMAGE_TOKENS = 2_000
# Three bytes a token is more tokens than any text really has: a hold must not be too small.
HOLD_BYTES_PER_TOKEN = 3
# The likely rate, for what was cut before the provider counted it.
LIKELY_BYTES_PER_TOKEN = 4


class Tally:
    """Counts one answer: the provider's own usage, and the words for when that never comes."""

    def __init__(self) -> None:
        self.usage = Usage()
        # Whether the provider has told its final count.
        self.is_final = False
        self.has_input = False
        # What the provider said when it gave up in the middle of a stream.
        self.error: str | None = None
        self.words_bytes = 0

    def counted(self, input_tokens_sent: int) -> Usage:
        """The usage: told if it was told, else counted from what went over the wire."""
        if self.is_final:
            return self.usage
        told = self.usage
        output = max(told.output_tokens, math.ceil(self.words_bytes / LIKELY_BYTES_PER_TOKEN))
        fresh = told.input_tokens if self.has_input else input_tokens_sent
        return Usage(fresh, output, told.cache_read_tokens, told.cache_write_tokens)


class Format(ABC):
    """One wire format."""

    @abstractmethod
    def output_cap(self, body: Body) -> int | None:
        """The most output tokens the request asks for, if it says."""

    @abstractmethod
    def prepare(self, body: Body, cap: int) -> None:
        """Set the output cap, ask for the usage, and take out what would cost beyond the hold."""

    @abstractmethod
    def read(self, event: Body, tally: Tally) -> None:
        """Count one event of a stream, or a whole answer that was not streamed."""

    def refusal(self, message: str) -> Body:
        """An error body that its clients understand."""
        return {"error": {"type": "invalid_request_error", "code": "refused", "message": message}}


def note_error(error: Body, tally: Tally) -> None:
    """Note that the provider gave up, if it did."""
    if error:
        tally.error = str(error.get("message") or error.get("type") or "unknown")


class Counter:
    """Feeds a tally from the bytes of an answer, streamed or whole."""

    def __init__(self, wire: Format, *, is_stream: bool) -> None:
        self.tally = Tally()
        self._wire = wire
        self._events = JsonEvents(is_stream=is_stream)

    def feed(self, chunk: bytes) -> None:
        for event in self._events.feed(chunk):
            self._wire.read(event, self.tally)

    def finish(self) -> None:
        """Say that no more bytes will come."""
        for event in self._events.finish():
            self._wire.read(event, self.tally)


def request_tokens(body: Body, bytes_per_token: int) -> int:
    """Count a request's tokens from its size; pictures count as pictures, not as their bytes."""
    size = pictures = 0
    for text in _strings(body):
        if _is_picture(text):
            pictures += 1
        else:
            size += len(text.encode()) + 1
    return math.ceil(size / bytes_per_token) + pictures * IMAGE_TOKENS


def number(value: object) -> int:
    """Read a token count that may be missing or null."""
    return value if isinstance(value, int) and value > 0 else 0


def part(event: Body, name: str) -> Body:
    """Read an object inside an event; an empty one if it is missing or null."""
    value = event.get(name)
    return cast(Body, value) if isinstance(value, dict) else {}


def parts(event: Body, name: str) -> list[Body]:
    """Read a list of objects inside an event."""
    value = event.get(name)
    found = cast(list[object], value) if isinstance(value, list) else []
    return [cast(Body, one) for one in found if isinstance(one, dict)]


def size(value: object) -> int:
    """How many bytes of words there are in a value that may be missing."""
    return len(value.encode()) if isinstance(value, str) else 0


def _strings(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for name, inner in cast(dict[str, object], value).items():
            yield name
            yield from _strings(inner)
    elif isinstance(value, list):
        for inner in cast(list[object], value):
            yield from _strings(inner)


def _is_picture(text: str) -> bool:
    # Base64 of 3 kB or more without a space in its beginning is no prose.
    return text.startswith("data:image/") or (
        len(text) > 4096
        and text[:4096].isascii()
        and (text[:4096].replace("+", "").replace("/", "").replace("=", "").isalnum())
    )
