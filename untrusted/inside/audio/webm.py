"""WebM, as Chromium records it: a list of elements, some of which hold others (RFC 8794)."""

from dataclasses import dataclass, field

from untrusted.inside.audio import opus
from untrusted.inside.audio.measured import BadRecording, Measured, not_shorter

EBML = b"\x1a\x45\xdf\xa3"
CLUSTER = b"\x1f\x43\xb6\x75"
# Elements that hold what counts; what is in them stands behind their head.
HOLDING = {0x18538067, 0x1F43B675, 0x1549A966, 0x1654AE6B, 0xAE, 0xA0}
TRACK, TRACK_NUMBER, TRACK_TYPE, CODEC = 0xAE, 0xD7, 0x83, 0x86
TIME_SCALE, CLUSTER_TIME, SIMPLE_BLOCK, BLOCK = 0x2AD7B1, 0xE7, 0xA3, 0xA1
VIDEO, AUDIO = 1, 2
# The length of a time, in billionths of a second, unless the file says otherwise.
USUAL_SCALE = 1_000_000
LACED = 0x06


@dataclass
class _Track:
    number: int = 0
    kind: int = 0
    codec: bytes = b""


@dataclass
class _Film:
    """What was found so far."""

    tracks: list[_Track] = field(default_factory=list[_Track])
    scale: int = USUAL_SCALE
    cluster_time: int = 0
    first: int | None = None
    last: int = 0
    played: float = 0.0
    size: int = 0

    def take(self, name: int, data: bytes, at: int, end: int) -> None:
        """Take in one element that holds no others."""
        number = int.from_bytes(data[at : min(end, at + 8)], "big")
        if name in {SIMPLE_BLOCK, BLOCK}:
            self._take_block(data, at, end)
        elif name == CLUSTER_TIME:
            self.cluster_time = number
        elif name == TIME_SCALE:
            self.scale = number or USUAL_SCALE
        elif self.tracks:
            self._describe(self.tracks[-1], name, number, data[at:end][:32])

    def _describe(self, track: _Track, name: int, number: int, value: bytes) -> None:
        if name == TRACK_NUMBER:
            track.number = number
        elif name == TRACK_TYPE:
            track.kind = number
        elif name == CODEC:
            track.codec = value

    def _take_block(self, data: bytes, at: int, end: int) -> None:
        number, at = _number(data, at)
        track = next((one for one in self.tracks if one.number == number), None)
        if track is None or track.kind != AUDIO or at + 3 > end:
            return
        time = self.cluster_time + int.from_bytes(data[at : at + 2], "big", signed=True)
        flags = data[at + 2]
        self.first = time if self.first is None else min(self.first, time)
        self.last = max(self.last, time)
        self.size += end - at
        if track.codec.startswith(b"A_OPUS"):
            frames = data[at + 3] + 1 if flags & LACED and at + 3 < end else 1
            self.played += frames * opus.packet_seconds(data, at + 3, end)

    @property
    def seconds(self) -> float:
        told = (self.last - (self.first or 0)) * self.scale / 1_000_000_000
        return max(self.played, not_shorter(told, self.size))


def measure(data: bytes) -> Measured:
    """Add up the sound of a file that has nothing else in it. Raises BadRecording."""
    if b"webm" not in data[:64]:
        raise BadRecording("not_audio")
    film, at = _Film(), 0
    while at < len(data):
        name, size, body = _head(data, at)
        if name == TRACK:
            film.tracks.append(_Track())
        if name in HOLDING:
            at = body
        elif name and size is not None:
            film.take(name, data, body, min(body + size, len(data)))
            at = body + size
        else:
            # A reader finds its way again at the next part.
            at = data.find(CLUSTER, at + 1)
            at = at if at >= 0 else len(data)
    kinds = {track.kind for track in film.tracks}
    if AUDIO not in kinds or VIDEO in kinds:
        raise BadRecording("not_audio")
    return Measured("audio/webm", film.seconds)


def _head(data: bytes, at: int) -> tuple[int, int | None, int]:
    """Return an element's name, or 0 if there is none; its size, None if unknown; its body."""
    length = _length(data, at)
    if not 1 <= length <= 4:
        return 0, None, at + 1
    name = int.from_bytes(data[at : at + length], "big")
    at += length
    length = _length(data, at)
    if not length:
        return 0, None, at
    size, body = _number(data, at)
    # All ones: until something comes that cannot be in it.
    return name, None if size == (1 << 7 * length) - 1 else size, body


def _number(data: bytes, at: int) -> tuple[int, int]:
    length = _length(data, at)
    whole = int.from_bytes(data[at : at + length], "big")
    return whole & ((1 << 7 * length) - 1), at + max(length, 1)


def _length(data: bytes, at: int) -> int:
    """Return how many bytes a number has, by the zeros before its first one; 0 if it is none."""
    return 9 - data[at].bit_length() if at < len(data) and data[at] else 0
