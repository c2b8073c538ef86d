"""Remembers the beginnings of requests, as providers do: what comes again costs less."""

import hashlib
import json
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from embedded.demo_model.conversation import Body
from embedded.demo_model.reply import PICTURE_TOKENS, Usage, tokens

# Providers cache no less than this.
SMALLEST_CACHED_TOKENS = 1_024
REMEMBERED = 100_000
# Where the provider itself says what is kept, it keeps pieces of this size.
PIECE_BYTES = 512
MINUTES = 60.0
HOUR = 60 * MINUTES
# Fields that say where a cached beginning ends, and so are no part of it.
MARKS = ("cache_control", "prompt_cache_breakpoint")
PICTURES = ('"data": "', ";base64,")


@dataclass(frozen=True)
class Block:
    """A part of a request. With `kept_seconds` a cached beginning ends behind it."""

    text: str
    tokens: int
    kept_seconds: float | None = None


def block(value: Body | list[Body] | str, kept_seconds: float | None = None) -> Block:
    """Make a block of a part of a request."""
    if isinstance(value, dict):
        value = {name: one for name, one in value.items() if name not in MARKS}
    text = json.dumps(value, sort_keys=True)
    is_picture = any(mark in text for mark in PICTURES)
    return Block(text, PICTURE_TOKENS if is_picture else tokens(text), kept_seconds)


def in_pieces(blocks: Sequence[Block], kept_seconds: float) -> Iterator[Block]:
    """Cut blocks small, each piece of which may be the end of a beginning that is kept."""
    for one in blocks:
        cuts = range(0, len(one.text), PIECE_BYTES)
        size = one.tokens // len(cuts) if cuts else 0
        for at in cuts:
            rest = one.tokens - size * (len(cuts) - 1)
            is_last = at == cuts[-1]
            yield Block(one.text[at : at + PIECE_BYTES], rest if is_last else size, kept_seconds)


class PromptCache:
    """The beginnings that were seen lately, by `clock`."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._ends: OrderedDict[bytes, float] = OrderedDict()

    def usage(
        self, model: str, blocks: Sequence[Block], output: int, *, pays_for_writing: bool
    ) -> Usage:
        """Count a call, and remember its request. Only some providers ask money for writing."""
        now = self._clock()
        beginning = hashlib.sha256(model.encode())
        total = read = written = hourly = 0
        for one in blocks:
            beginning.update(one.text.encode() + b"\0")
            total += one.tokens
            if one.kept_seconds is None or total < SMALLEST_CACHED_TOKENS:
                continue
            if self._ends.get(beginning.digest(), 0) > now:
                read = total
            written = total - read
            hourly = written if one.kept_seconds >= HOUR else hourly
            self._remember(beginning.digest(), now + one.kept_seconds)
        if not pays_for_writing:
            written = hourly = 0
        return Usage(total - read - written, output, read, written, cache_write_hour=hourly)

    def _remember(self, beginning: bytes, ends: float) -> None:
        # One that is kept for an hour is not forgotten sooner because somebody reads it.
        self._ends[beginning] = max(ends, self._ends.get(beginning, 0))
        self._ends.move_to_end(beginning)
        while len(self._ends) > REMEMBERED:
            self._ends.popitem(last=False)
