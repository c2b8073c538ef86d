"""Keeps OpenClaw from reading orders into what a model says, and people from losing words by it.

It cuts what looks like its own marks out of answers (<tool_call>, <|im_end|>, <think>, MEDIA:,
NO_REPLY and many more), and fails when they were streamed already. So between the meter and the
person each place at which such a mark could begin is followed by a character that nobody writes:
what OpenClaw keeps as the history has it, what is sent to a provider or to a person has it not.
"""

import json
from typing import Any, cast

from agent.meter.wires import Body, Format

# One of those that Unicode keeps free for what stays inside of a program.
MARK = "\ufdd0"
MARK_BYTES = MARK.encode()
# The same as JSON may write it.
WRITTEN_OUT = b"\\ufdd0"
_MARKED = str.maketrans({MARK: None, **{sign: sign + MARK for sign in "<[_:\n"}})


def marked(text: str) -> str:
    """Mark a piece of an answer."""
    return text.translate(_MARKED)


def unmarked(text: str) -> str:
    """Return what the model said."""
    return text.replace(MARK, "")


def unmarked_bytes(document: bytes) -> bytes:
    """Do as `unmarked` for JSON, in which a character may also stand as a number."""
    *pieces, last = document.replace(MARK_BYTES, b"").split(WRITTEN_OUT)
    return b"".join([*map(_before_written_out, pieces), last])


def _before_written_out(piece: bytes) -> bytes:
    """Return what stood before the number, and the number where it is but words of somebody's."""
    backslashes = len(piece) - len(piece.rstrip(b"\\"))
    # An odd one makes of the next a backslash that somebody typed.
    return piece + WRITTEN_OUT if backslashes % 2 else piece


class Marking:
    """Marks the words in an event stream while its bytes pass by; all else stays as it is."""

    def __init__(self, wire: Format) -> None:
        self._wire = wire
        self._rest = b""
        self._begun: set[object] = set()

    def feed(self, chunk: bytes) -> bytes:
        """Take the next bytes; return those that can go on by now: whole lines."""
        lines, end, rest = (self._rest + chunk).rpartition(b"\n")
        self._rest = rest
        return b"\n".join(self._line(line) for line in lines.split(b"\n")) + end if end else b""

    def finish(self) -> bytes:
        """Return what is left when no more bytes will come."""
        rest, self._rest = self._rest, b""
        return self._line(rest)

    def _line(self, line: bytes) -> bytes:
        event = _event(line)
        if event is None or not self._mark(event):
            return line
        ending = b"\r" if line.endswith(b"\r") else b""
        return b"data: " + json.dumps(event, separators=(",", ":")).encode() + ending

    def _mark(self, event: Body) -> bool:
        """Mark the words of an event; tell whether there are any."""
        found = False
        for place in self._wire.words(event):
            said = str(place.holder[place.name])
            # Some marks are one only where a text begins.
            is_first = place.is_whole or place.text not in self._begun
            place.holder[place.name] = (MARK if is_first else "") + marked(said)
            if not place.is_whole:
                self._begun.add(place.text)
            found = True
        return found


def _event(line: bytes) -> Body | None:
    if not line.startswith(b"data:"):
        return None
    try:
        value: object = json.loads(line[5:])
    except ValueError:
        return None
    return cast(dict[str, Any], value) if isinstance(value, dict) else None
