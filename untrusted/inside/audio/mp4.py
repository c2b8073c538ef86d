"""MP4 and M4A, as Safari and phones record it: in one piece, or in fragments (ISO/IEC 14496-12)."""

import struct
from dataclasses import dataclass, field

from untrusted.inside.audio.measured import BadRecording, Measured, not_shorter

# Boxes that hold what counts; what is in them stands behind their head.
HOLDING = {b"moov", b"trak", b"mdia", b"minf", b"stbl", b"mvex", b"moof", b"traf"}
SOUND, FILM = b"soun", b"vide"
# What a fragment says of its samples, if it does.
HAS_OFFSET, HAS_DESCRIPTION, HAS_DURATION = 0x1, 0x2, 0x8
RUN_HAS_OFFSET, RUN_HAS_FLAGS = 0x1, 0x4
RUN_HAS = (0x100, 0x200, 0x400, 0x800)


@dataclass
class _Track:
    number: int = 0
    scale: int = 0
    kind: bytes = b""
    # The samples added up, and where the last of them ends: a recorder may leave gaps.
    played: int = 0
    ends: int = 0


@dataclass
class _Film:
    """What was found so far. Where a box is too short for what it should say, struct complains."""

    tracks: list[_Track] = field(default_factory=list[_Track])
    usual: dict[int, int] = field(default_factory=dict[int, int])
    size: int = 0
    # The track that the running fragment goes on with, how long its samples are, and where the
    # next of them begins.
    number: int = 0
    duration: int = 0
    begins: int = 0

    def take(self, name: bytes, body: bytes) -> None:
        """Take in one box that holds no others."""
        if name == b"mdat":
            self.size += len(body)
        elif name == b"trex":
            number, _, duration = struct.unpack_from(">III", body, 4)
            self.usual[number] = duration
        elif name == b"tfhd":
            self._begin_fragment(body)
        elif name == b"tfdt":
            self.begins = int.from_bytes(body[4:12] if body[:1] == b"\1" else body[4:8], "big")
        elif name == b"trun":
            self._add_run(body)
        elif self.tracks:
            self._describe(self.tracks[-1], name, body)

    def _describe(self, track: _Track, name: bytes, body: bytes) -> None:
        is_long = name in {b"tkhd", b"mdhd"} and body[:1] == b"\1"
        if name == b"tkhd":
            (track.number,) = struct.unpack_from(">I", body, 20 if is_long else 12)
        elif name == b"mdhd":
            (track.scale,) = struct.unpack_from(">I", body, 20 if is_long else 12)
        elif name == b"hdlr":
            track.kind = body[8:12]
        elif name == b"stts":
            rows = body[8 : 8 + 8 * int.from_bytes(body[4:8], "big")]
            whole = rows[: len(rows) // 8 * 8]
            track.played += sum(count * each for count, each in struct.iter_unpack(">II", whole))

    def _begin_fragment(self, body: bytes) -> None:
        flags, self.number = struct.unpack_from(">II", body)
        self.duration, self.begins = self.usual.get(self.number, 0), 0
        if flags & HAS_DURATION:
            at = 8 + 8 * bool(flags & HAS_OFFSET) + 4 * bool(flags & HAS_DESCRIPTION)
            (self.duration,) = struct.unpack_from(">I", body, at)

    def _add_run(self, body: bytes) -> None:
        track = next((one for one in self.tracks if one.number == self.number), None)
        if track is None:
            return
        whole = self._run(body)
        self.begins += whole
        track.played += whole
        track.ends = max(track.ends, self.begins)

    def _run(self, body: bytes) -> int:
        flags, count = struct.unpack_from(">II", body)
        if not flags & RUN_HAS[0]:
            return count * self.duration
        at = 8 + 4 * bool(flags & RUN_HAS_OFFSET) + 4 * bool(flags & RUN_HAS_FLAGS)
        row = 4 * sum(bool(flags & one) for one in RUN_HAS)
        starts = range(at, min(at + count * row, len(body) - 3), row)
        return sum(int.from_bytes(body[start : start + 4], "big") for start in starts)


def measure(data: bytes) -> Measured:
    """Add up the sound of a file that has no film in it. Raises BadRecording."""
    film, at = _Film(), 0
    try:
        while at + 8 <= len(data):
            name, body, end = _head(data, at)
            if name == b"trak":
                film.tracks.append(_Track())
            if name in HOLDING:
                at = body
            else:
                film.take(name, data[body:end])
                at = max(end, body)
    except struct.error as error:
        raise BadRecording("broken") from error
    kinds = {track.kind for track in film.tracks}
    if SOUND not in kinds or FILM in kinds:
        raise BadRecording("not_audio")
    heard = [one for one in film.tracks if one.kind == SOUND and one.scale]
    seconds = max((max(one.played, one.ends) / one.scale for one in heard), default=0)
    if not seconds:
        raise BadRecording("broken")
    return Measured("audio/mp4", not_shorter(seconds, film.size))


def _head(data: bytes, at: int) -> tuple[bytes, int, int]:
    """Return a box's name, and where its body begins and ends."""
    size, name = struct.unpack_from(">I4s", data, at)
    body = at + 8
    if size == 1:
        (size,) = struct.unpack_from(">Q", data, body)
        body += 8
    end = at + size if size else len(data)
    return name, body, min(end, len(data))
