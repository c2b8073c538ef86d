"""Remembers the beginnings of requests, as providers do: what comes again costs less."""

import hashlib
from collections import OrderedDict

from embedded.demo_model.conversation import Asked
from embedded.demo_model.reply import Reply, Usage, message_tokens

# Providers cache no less than this.
SMALLEST_CACHED_TOKENS = 1_024
REMEMBERED = 10_000


class PromptCache:
    """The beginnings that were seen lately."""

    def __init__(self) -> None:
        self._seen: OrderedDict[bytes, None] = OrderedDict()

    def usage(self, asked: Asked, reply: Reply, *, pays_for_writing: bool) -> Usage:
        """Count a call, and remember its request. Only some providers ask money for writing."""
        total = read = 0
        beginning = hashlib.sha256(asked.model.encode())
        for text, size in message_tokens(asked):
            beginning.update(text.encode() + b"\0")
            total += size
            if beginning.digest() in self._seen and total >= SMALLEST_CACHED_TOKENS:
                read = total
            self._remember(beginning.digest())
        is_large = total >= SMALLEST_CACHED_TOKENS
        written = total - read if pays_for_writing and is_large else 0
        return Usage(total - read - written, reply.tokens, read, written)

    def _remember(self, beginning: bytes) -> None:
        self._seen[beginning] = None
        self._seen.move_to_end(beginning)
        while len(self._seen) > REMEMBERED:
            self._seen.popitem(last=False)
