"""What every wire has in common."""

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from string import ascii_letters, whitespace
from typing import Any, cast

from agent.meter.books import Usage
from agent.meter.sse import JsonEvents

Body = dict[str, Any]

# An image costs about this many tokens, however many bytes encode it; and at most so many, for the
# models that look closest.
IMAGE_TOKENS = 2_000
MOST_IMAGE_TOKENS = 5_000
# What a provider adds to a request that has tools, so that the model knows how to use them.
MOST_TOOLS_TOKENS = 1_000
# Prose has fewer tokens than one in three bytes.
HOLD_BYTES_PER_TOKEN = 3
# The likely rate, for what was cut before the provider counted it.
LIKELY_BYTES_PER_TOKEN = 4
WORD_BYTES = (ascii_letters + whitespace).encode()
ASCII_BYTES = bytes(range(128))


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


def likely_tokens(body: Body) -> int:
    """Count a request's tokens from its size; pictures count as pictures, not as their bytes."""
    texts = list(_strings(body))
    pictures = sum(map(_is_picture, texts))
    size = sum(len(text.encode()) + 1 for text in texts if not _is_picture(text))
    return math.ceil(size / LIKELY_BYTES_PER_TOKEN) + pictures * IMAGE_TOKENS


def most_tokens(body: Body) -> int:
    """Count the most tokens that any provider can find in a request: a hold is never too small."""
    added = MOST_TOOLS_TOKENS if body.get("tools") else 0
    return added + sum(
        MOST_IMAGE_TOKENS if _is_picture(text) else _most_in(text) for text in _strings(body)
    )


def _most_in(text: str) -> int:
    """Words are long; each digit and sign may be a token, and of other scripts two in three bytes.

    One more stands for what is around a text: its name's colon, quotes, the role of a message.
    """
    written = text.encode(errors="replace")
    foreign = len(written.translate(None, ASCII_BYTES))
    words = len(written) - len(written.translate(None, WORD_BYTES))
    signs = len(written) - foreign - words
    return math.ceil(words / HOLD_BYTES_PER_TOKEN + signs + foreign * 2 / 3) + 1


def keep_tools(body: Body, is_ours: Callable[[Body], bool]) -> None:
    """Leave out the tools that a provider runs itself: what they read and cost is in no hold."""
    if "tools" not in body:
        return
    body["tools"] = [tool for tool in parts(body, "tools") if is_ours(tool)]
    if not body["tools"]:
        for name in ("tools", "tool_choice", "toolConfig"):
            body.pop(name, None)


def is_function(tool: Body) -> bool:
    """Whether a tool is run by whoever asks, in the formats that give tools a type."""
    return tool.get("type") in {None, "function", "custom"}


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
