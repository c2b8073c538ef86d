"""Ogg (RFC 3533) with Opus, as messengers and Firefox record it, or with Vorbis."""

import struct

from untrusted.inside.audio import opus
from untrusted.inside.audio.measured import BadRecording, Measured, not_shorter

MARK = b"OggS"
# Version, kind of page, the position that it ends at, three numbers, and how many segments follow.
HEAD = struct.Struct("<4xBBqIIIB")
BEGINS = 2
OPUS_RATE = 48_000
# Packets before the first that is played: the head and the tags.
OPUS_HEADS = 2


class _Stream:
    """One stream of a file; another may follow when it has ended."""

    def __init__(self, head: bytes) -> None:
        self.is_opus = head.startswith(b"OpusHead")
        self.size = self.packets = self.position = 0
        self.played = 0.0
        self._is_inside = False
        if self.is_opus and len(head) >= 12:
            self.rate, self.skipped = OPUS_RATE, int.from_bytes(head[10:12], "little")
        elif head.startswith(b"\x01vorbis") and len(head) >= 16:
            self.rate, self.skipped = int.from_bytes(head[12:16], "little"), 0
        else:
            raise BadRecording("not_audio")
        if not self.rate:
            raise BadRecording("broken")

    def add(self, data: bytes, at: int, lacing: bytes, position: int) -> None:
        """Take in one page, whose segments begin at `at`."""
        for size in lacing:
            if not self._is_inside:
                self._begin(data, at, min(at + size, len(data)))
            self._is_inside = size == 255
            at += size
            self.size += size
        self.position = max(self.position, position)

    def _begin(self, data: bytes, at: int, end: int) -> None:
        self.packets += 1
        if self.is_opus and self.packets > OPUS_HEADS:
            self.played += opus.packet_seconds(data, at, end)

    @property
    def seconds(self) -> float:
        told = max(self.position - self.skipped, 0) / self.rate
        return max(self.played, told) if self.is_opus else not_shorter(told, self.size)


def measure(data: bytes) -> Measured:
    """Add up the streams of a file. Raises BadRecording."""
    streams: list[_Stream] = []
    at = data.find(MARK)
    while at >= 0 and at + HEAD.size <= len(data):
        _, kind, position, _, _, _, count = HEAD.unpack_from(data, at)
        lacing = data[at + HEAD.size : at + HEAD.size + count]
        body = at + HEAD.size + count
        if kind & BEGINS:
            streams.append(_Stream(data[body : body + 32]))
        if not streams:
            raise BadRecording("broken")
        streams[-1].add(data, body, lacing, position)
        # A reader finds its way again behind what is damaged.
        at = data.find(MARK, body + sum(lacing))
    return Measured("audio/ogg", sum(stream.seconds for stream in streams))
