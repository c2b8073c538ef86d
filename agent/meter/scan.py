"""Looks at JSON while it arrives, before anything is made of it.

Parsing millions of small values, or of escapes, takes memory and holds everything else up, and
nothing could interrupt it. So they are counted first, piece by piece, and a document that has too
many of them is refused in the middle of its arrival.
"""

import re

# A long conversation has some ten thousand of either: brackets, commas and colons, and escapes.
MOST_ITEMS = 300_000
MOST_ESCAPES = 1_000_000
MOST_LEVELS = 64
# Such that no piece takes longer than a millisecond, whatever is in it.
PIECE_BYTES = 16 * 1024
MARKS = b'"[]{},:'
NO_MARKS = bytes(set(range(256)) - set(MARKS))
STRING = re.compile(rb'"[^"]*"')
OPENING, CLOSING = b"[{", b"]}"


class TooMuch(Exception):
    """A document is larger, deeper or of more pieces than any that a cell has to send."""


class JsonScan:
    """Counts what a document is made of; whether it is JSON at all is for the parser to say."""

    def __init__(self) -> None:
        self._items = 0
        self._escapes = 0
        self._level = 0
        self._is_in_string = False
        # A backslash whose meaning the next piece decides.
        self._held = b""

    def feed(self, data: bytes) -> None:
        """Take the next bytes. Raises TooMuch."""
        for at in range(0, len(data), PIECE_BYTES):
            self._take(data[at : at + PIECE_BYTES])

    def _take(self, piece: bytes) -> None:
        piece = self._held + piece
        bare = piece.rstrip(b"\\")
        self._held = b"\\" if (len(piece) - len(bare)) % 2 else b""
        self._escapes += piece.count(b"\\")
        if self._escapes > MOST_ESCAPES:
            raise TooMuch("escapes")
        if b"\\" in bare:
            bare = bare.replace(b"\\\\", b"").replace(b'\\"', b"")
        marks = bare.translate(None, NO_MARKS)
        self._count(STRING.sub(b"", b'"' + marks if self._is_in_string else marks))

    def _count(self, marks: bytes) -> None:
        """Count what stands outside of strings; the last one may have no end yet."""
        outside, quote, _ = marks.partition(b'"')
        self._is_in_string = bool(quote)
        self._items += len(outside)
        if self._items > MOST_ITEMS:
            raise TooMuch("items")
        for mark in outside:
            if mark in OPENING:
                self._level += 1
                if self._level > MOST_LEVELS:
                    raise TooMuch("levels")
            elif mark in CLOSING:
                self._level -= 1
