"""What every wire has in common."""

import math
import re
from abc import ABC, abstractmethod
from collections.abc import Iterable
from dataclasses import dataclass, replace
from string import ascii_letters, whitespace
from typing import Any, cast

from agent.meter.call_ledger import Usage

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
# Longer than any word.
NOISE_LENGTH = 64
# How OpenClaw begins when it has a conversation summarized, which it does to go on with less.
SUMMARIZING = "You are a context summarization assistant."
# What it writes of itself behind a message, where a format has it not among the instructions. Only
# the newest message has it, so the next request would not begin as this one does.
RUNTIME = re.compile(r"\n\nRuntime: agent=[^\n]*\Z")
# Of a longer text so much is counted at a time.
SLICE_CHARS = 64 * 1024
NOISE = re.compile(rf"[A-Za-z0-9+/=_-]{{{NOISE_LENGTH},}}")


class Picture(str):
    """The bytes of a picture, where a wire has one: what only looks so may be anybody's words."""

    __slots__ = ()


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
        # Whether anything was said, or a tool was called: thoughts alone are no answer.
        self.has_said = False
        # Whether the request asked for what is written to be kept for an hour.
        self.is_for_hour = False

    def counted(self, input_tokens_sent: int) -> Usage:
        """The usage: told if it was told, else counted from what went over the wire."""
        if self.is_final:
            return self.usage
        told = self.usage
        output = max(told.output_tokens, math.ceil(self.words_bytes / LIKELY_BYTES_PER_TOKEN))
        fresh = told.input_tokens if self.has_input else input_tokens_sent
        return replace(told, input_tokens=fresh, output_tokens=output)


@dataclass(frozen=True)
class Words:
    """A place in an event at which words stand.

    `text` names the text that they are a piece of, within its answer; or they are all of it.
    """

    holder: Body
    name: str
    text: object = None
    is_whole: bool = False


def are_said(found: Iterable[Words]) -> bool:
    """Whether any of these words are more than blanks."""
    return any(str(place.holder[place.name]).strip() for place in found)


def words_in(
    holder: Body, name: str, text: object = None, *, is_whole: bool = False
) -> list[Words]:
    """Return the place, if there are words at it."""
    said = holder.get(name)
    return [Words(holder, name, text, is_whole)] if isinstance(said, str) and said else []


@dataclass(frozen=True)
class Keeping:
    """How a provider's cache is to keep a request.

    `key` brings requests that begin alike to the same of its machines.
    """

    model: str
    key: str
    is_for_hour: bool


class Format(ABC):
    """One wire format."""

    @abstractmethod
    def output_cap(self, body: Body) -> int | None:
        """The most output tokens the request asks for, if it says."""

    @abstractmethod
    def prepare(self, body: Body, cap: int) -> None:
        """Set the output cap, and ask for the usage, in what agent.meter.shapes has let through."""

    @abstractmethod
    def read(self, event: Body, tally: Tally) -> None:
        """Count one event of a stream, or a whole answer that was not streamed."""

    @abstractmethod
    def words(self, event: Body) -> Iterable[Words]:
        """Find what one event of a stream says to the person: no thoughts and no tool calls."""

    @abstractmethod
    def thoughts(self, event: Body) -> str:
        """Return what one event of a stream adds to the thoughts, as far as they are told."""

    @abstractmethod
    def says(self, event: Body) -> bool:
        """Whether one event of a stream says anything, refuses, or calls a tool."""

    @abstractmethod
    def think(self, body: Body, *, is_longer: bool) -> None:
        """Let the model think longer than is usual, if it thinks at all and `is_longer`."""

    @abstractmethod
    def instructions(self, body: Body) -> list[str]:
        """List the texts of what the model is told to be, in order."""

    @abstractmethod
    def instruct(self, body: Body, shared: str, own: str) -> None:
        """Tell the model what every assistant is told, and then what one has for itself."""

    def keep(self, body: Body, keeping: Keeping) -> None:
        """Say how the provider's cache is to keep the request; some need no telling."""
        del body, keeping

    def refusal(self, message: str) -> Body:
        """An error body that its clients understand."""
        return {"error": {"type": "invalid_request_error", "code": "refused", "message": message}}


def note_error(error: Body, tally: Tally) -> None:
    """Note that the provider gave up, if it did."""
    if error:
        tally.error = str(error.get("message") or error.get("type") or "unknown")


def likely_tokens(body: Body) -> int:
    """Count a request's tokens from its size; pictures count as pictures, not as their bytes."""
    texts, pictures = _contents(body)
    size = sum(len(_bytes(text)) + 1 for text in texts)
    return math.ceil(size / LIKELY_BYTES_PER_TOKEN) + pictures * IMAGE_TOKENS


def most_tokens(body: Body) -> int:
    """Count the most tokens that any provider can find in a request: a hold is never too small."""
    texts, pictures = _contents(body)
    added = MOST_TOOLS_TOKENS if body.get("tools") else 0
    return added + pictures * MOST_IMAGE_TOKENS + sum(map(_most_in, texts))


def _most_in(text: str) -> int:
    """Words are long; each digit and sign may be a token, and of other scripts two in three bytes.

    So may each letter of what is no word, as in keys and encoded bytes. One more stands for what is
    around a text: its name's colon, quotes, the role of a message. Long texts are counted in
    slices, between which others get their turn; noise that a slice cuts counts as noise.
    """
    starts = range(0, len(text), SLICE_CHARS)
    cuts = max(0, len(starts) - 1)
    counted = sum(_most_in_slice(text[at : at + SLICE_CHARS]) for at in starts)
    return math.ceil(counted) + cuts * 2 * NOISE_LENGTH + 1


def _most_in_slice(text: str) -> float:
    written = _bytes(text)
    foreign = len(written.translate(None, ASCII_BYTES))
    words = len(written) - len(written.translate(None, WORD_BYTES))
    signs = len(written) - foreign - words
    # Prose has no such runs, and need not be searched for them letter by letter.
    runs = " ".join(run for run in text.split() if len(run) >= NOISE_LENGTH)
    noise = sum(map(len, NOISE.findall(runs))) * (1 - 1 / HOLD_BYTES_PER_TOKEN)
    return words / HOLD_BYTES_PER_TOKEN + signs + foreign * 2 / 3 + noise


def drop_empty_tools(body: Body) -> None:
    """Leave the list of tools out when no tool is in it: providers refuse one that is empty."""
    if not body.get("tools"):
        for name in ("tools", "tool_choice", "toolConfig"):
            body.pop(name, None)


def is_function(tool: Body) -> bool:
    """Whether a tool is run by whoever asks, in the formats that give tools a type."""
    return tool.get("type") in {None, "function", "custom"}


def texts(content: object) -> list[str]:
    """List the texts of a content that is one, or a list of parts."""
    if isinstance(content, str):
        return [content]
    return [str(one["text"]) for one in parts({"": content}, "") if "text" in one]


def tool_names(body: Body) -> set[str]:
    """Return the names of the tools that a request offers."""
    offered = parts(body, "tools")
    offered += [one for tool in offered for one in parts(tool, "functionDeclarations")]
    return {str(tool.get("name") or part(tool, "function").get("name")) for tool in offered}


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
    return len(_bytes(value)) if isinstance(value, str) else 0


def _bytes(text: str) -> bytes:
    # OpenClaw may cut a text in the middle of a character.
    return text.encode(errors="replace")


def _contents(body: Body) -> tuple[list[str], int]:
    """Return all texts of a request, names of fields included, and how many pictures it has."""
    texts: list[str] = []
    pictures = 0
    left: list[object] = [body]
    while left:
        value = left.pop()
        if isinstance(value, Picture):
            pictures += 1
        elif isinstance(value, str):
            texts.append(value)
        elif isinstance(value, list):
            left += cast(list[object], value)
        elif isinstance(value, dict):
            holder = cast(Body, value)
            texts += holder
            left += holder.values()
    return texts, pictures
