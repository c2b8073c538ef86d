"""What the demo model hears in a recording: what the recording itself says in its comment.

A WAV may carry a comment (a LIST of INFO with ICMT, in UTF-8); whoever makes one for the demo
writes there what is said. Of all others it tells how long they are.
"""

import struct
from dataclasses import dataclass

WAV_HEAD = 12
OGG, OGG_RATE = b"OggS", 48_000
WEBM, CLUSTER, TIME = b"\x1a\x45\xdf\xa3", b"\x1f\x43\xb6\x75", b"\xe7"
SIMPLE_BLOCK = 0xA3


@dataclass(frozen=True)
class Recording:
    """What it found in a recording: the words, if there are any, and the seconds, if it knows."""

    words: str | None
    seconds: float | None

    @property
    def text(self) -> str:
        """What it says that it heard."""
        if self.words is not None:
            return self.words
        if self.seconds is None:
            return "The demo model cannot listen, and does not know how long this was."
        count = max(1, round(self.seconds))
        return f"The demo model cannot listen. This was {count} second{'s' if count > 1 else ''}."


def hear(data: bytes) -> Recording:
    """Look into a recording that a product of ours has measured already."""
    if data[:4] == b"RIFF" and data[8:12] == b"WAVE":
        return _hear_wav(data)
    if data.startswith(OGG):
        return Recording(None, _ogg_seconds(data))
    return Recording(None, _webm_seconds(data) if data.startswith(WEBM) else None)


def _hear_wav(data: bytes) -> Recording:
    words, per_second, size, at = None, 0, 0, WAV_HEAD
    while at + 8 <= len(data):
        name, length = struct.unpack_from("<4sI", data, at)
        body = data[at + 8 : at + 8 + length]
        if name == b"fmt " and length >= 12:
            (per_second,) = struct.unpack_from("<I", body, 8)
        elif name == b"data":
            size = len(body)
        elif name == b"LIST" and body[:4] == b"INFO":
            words = _comment(body)
        at += 8 + length + length % 2
    return Recording(words, size / per_second if per_second else None)


def _comment(info: bytes) -> str | None:
    at = 4
    while at + 8 <= len(info):
        name, length = struct.unpack_from("<4sI", info, at)
        if name == b"ICMT":
            return info[at + 8 : at + 8 + length].rstrip(b"\0").decode("utf-8", errors="replace")
        at += 8 + length + length % 2
    return None


def _ogg_seconds(data: bytes) -> float | None:
    """Read the position at which the last page ends."""
    at = data.rfind(OGG)
    if at + 14 > len(data):
        return None
    position = int.from_bytes(data[at + 6 : at + 14], "little", signed=True)
    return position / OGG_RATE if position > 0 else None


def _webm_seconds(data: bytes) -> float | None:
    """Read when the last cluster begins, and when its last block does, in milliseconds."""
    at = data.rfind(CLUSTER)
    begins = data.find(TIME, at)
    if at < 0 or begins < 0 or begins + 1 >= len(data):
        return None
    size, at = _number(data, begins + 1)
    time = int.from_bytes(data[at : at + size], "big")
    return (time + _last_block(data, at + size)) / 1000


def _last_block(data: bytes, at: int) -> int:
    latest = 0
    while at + 8 < len(data) and data[at] == SIMPLE_BLOCK:
        size, at = _number(data, at + 1)
        latest = max(latest, int.from_bytes(data[at + 1 : at + 3], "big", signed=True))
        at += size
    return latest


def _number(data: bytes, at: int) -> tuple[int, int]:
    """Read a number whose first byte says how many it has; return where the next one begins."""
    width = 9 - data[at].bit_length()
    whole = int.from_bytes(data[at : at + width], "big")
    return whole & ((1 << 7 * width) - 1), at + width
