"""Recordings that are broken, endless or longer than they look, by name."""

import struct
from collections.abc import Callable

from tests.recordings import (
    box,
    chunk,
    element,
    fragmented_mp4,
    mp3,
    mp4,
    ogg,
    page,
    riff,
    wav,
    webm,
)

MB = 1024 * 1024
SIZE = 20 * MB
WEBM = webm(0)
EMPTY_PAGE = page(b"")
RECORDINGS: dict[str, Callable[[], bytes]] = {
    "only a mark of Ogg": lambda: b"OggS",
    "a million pages": lambda: ogg(1) + EMPTY_PAGE * (SIZE // len(EMPTY_PAGE)),
    "a million marks": lambda: ogg(1) + b"OggS" * (SIZE // 4),
    "a page of packets without end": lambda: ogg(1) + page(*[b"\x4b\x3f"] * 255) * 20_000,
    "a position at the end of time": lambda: ogg(9, position=2**63 - 1),
    "a million streams": lambda: ogg(0)[:60] * 200_000,
    "elements of nothing": lambda: WEBM + b"\xec\x80" * (SIZE // 2),
    "clusters in clusters": lambda: WEBM + (b"\x1f\x43\xb6\x75\x01" + b"\xff" * 7) * 1_500_000,
    "tracks without end": lambda: WEBM + b"\xae\x80" * 5_000_000,
    "an element that is larger than all": lambda: WEBM + b"\xa3\x01" + b"\xfe" * 7,
    "a time at the end of time": lambda: (
        WEBM + element(0xE7, b"\xff" * 8) + element(0xA3, b"\x81aa\0s")
    ),
    "nothing but ones": lambda: WEBM + b"\xff" * SIZE,
    "boxes of no size": lambda: mp4(1) + b"\0\0\0\1free" + bytes(8) + bytes(SIZE),
    "boxes in boxes": lambda: mp4(1) + b"\0\0\0\x08moov" * (SIZE // 8),
    "a box that goes back": lambda: mp4(1) + b"\0\0\0\1free\0\0\0\0\0\0\0\1" * 1_000_000,
    "a table of samples without end": lambda: mp4(0).replace(
        b"stts" + bytes(4) + b"\0\0\0\1", b"stts" + bytes(4) + b"\xff\xff\xff\xff"
    ),
    "runs of four billion samples": lambda: (
        fragmented_mp4(1) + box(b"trun", b"\0\0\x0f\0\xff\xff\xff\xff" + bytes(MB)) * 15
    ),
    "tracks and fragments": lambda: (
        mp4(1) + box(b"trak", b"") * 100_000 + box(b"tfhd", struct.pack(">II", 0, 9)) * 900_000
    ),
    "a WAV of four billion a second": lambda: riff(
        chunk(b"fmt ", struct.pack("<HHIIHH", 1, 65_535, 2**32 - 1, 0, 0, 65_535))
    ),
    "chunks of nothing": lambda: riff(chunk(b"junk", b"") * (SIZE // 8)),
    "a WAV of an hour": lambda: wav(3_600, rate=2_000),
    "tags before tags": lambda: b"ID3\4\0\0\0\0\0\0" * (SIZE // 10),
    "a million false heads": lambda: mp3(2) + b"\xff" * SIZE,
    "the shortest frames": lambda: b"\xff\xe3\x18\xc4" + bytes(32) + mp3(2, tag=False) * 9_000,
}
