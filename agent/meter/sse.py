"""Reads the JSON out of an answer while its bytes pass by."""

import json
from collections.abc import Iterator
from typing import Any, cast

# A line that is longer than this is not usage; it is skipped rather than kept in memory.
LONGEST_LINE = 4 * 1024 * 1024


class JsonEvents:
    """The `data:` lines of an event stream, or the one document of a whole answer."""

    def __init__(self, *, is_stream: bool) -> None:
        self._is_stream = is_stream
        self._rest = b""

    def feed(self, chunk: bytes) -> Iterator[dict[str, Any]]:
        """Take the next bytes; yield the objects that are whole now."""
        self._rest += chunk
        if not self._is_stream:
            return
        *lines, self._rest = self._rest.split(b"\n")
        if len(self._rest) > LONGEST_LINE:
            self._rest = b""
        for line in lines:
            yield from _read_line(line)

    def finish(self) -> Iterator[dict[str, Any]]:
        """Yield what is left when no more bytes will come."""
        rest, self._rest = self._rest, b""
        yield from _read_line(rest) if self._is_stream else _read(rest)


def _read_line(line: bytes) -> Iterator[dict[str, Any]]:
    if line.startswith(b"data:"):
        yield from _read(line[5:])


def _read(document: bytes) -> Iterator[dict[str, Any]]:
    try:
        value: object = json.loads(document)
    except ValueError:
        # "[DONE]", or half of an answer that was cut.
        return
    if isinstance(value, dict):
        yield cast(dict[str, Any], value)
