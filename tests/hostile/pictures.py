"""Pictures that are broken, or that claim to be larger than any machine, by name."""

import struct
import zlib
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from random import Random
from typing import Any

from PIL import Image

PNG = b"\x89PNG\r\n\x1a\n"


def picture(name: str = "PNG", size: tuple[int, int] = (64, 48), **how: Any) -> bytes:
    """A sound picture of noise."""
    made = BytesIO()
    noise = Random(7).randbytes(size[0] * size[1] * 3)
    Image.frombytes("RGB", size, noise).save(made, name, **how)
    return made.getvalue()


def photo(megapixels: int, name: str = "JPEG", **how: Any) -> bytes:
    """A large picture of few bytes."""
    made = BytesIO()
    side = int((megapixels * 1_000_000) ** 0.5)
    # In grey: it takes as many pixels and a quarter of the memory to make.
    Image.new("L", (side, side), 99).save(made, name, **how)
    return made.getvalue()


def heic() -> bytes:
    """A picture in the format of an iPhone: 400 by 200, all red."""
    return Path(__file__).with_name("red.heic").read_bytes()


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(
    width: int, height: int, data: bytes, *, kind: int = 2, depth: int = 8, more: bytes = b""
) -> bytes:
    """A PNG that says of itself what it likes."""
    head = struct.pack(">IIBBBBB", width, height, depth, kind, 0, 0, 0)
    return PNG + chunk(b"IHDR", head) + more + chunk(b"IDAT", data) + chunk(b"IEND", b"")


def spoilt(data: bytes, seed: int) -> bytes:
    """The same with some bytes changed behind its head."""
    random, made = Random(seed), bytearray(data)
    for _ in range(20):
        made[random.randrange(40, len(made))] = random.randrange(256)
    return bytes(made)


def _sized(data: bytes, at: int, size: bytes) -> bytes:
    return data[:at] + size + data[at + len(size) :]


def _jpeg_frame_at(data: bytes) -> int:
    """Where a JPEG says how large it is."""
    return data.index(b"\xff\xc0") + 5


JPEG, GIF, WEBP, AVIF = picture("JPEG"), picture("GIF"), picture("WEBP"), picture("AVIF")
ROWS = zlib.compress(bytes(64 * 1024 * 1024), 1)
FINE = picture()
HEIC = struct.pack(">I", 24) + b"ftypheic\0\0\0\0heicmif1"
PICTURES: dict[str, Callable[[], bytes]] = {
    "only a signature": lambda: PNG,
    "the head of a PNG": lambda: FINE[:33],
    "half a PNG": lambda: FINE[: len(FINE) // 2],
    "a PNG without its end": lambda: FINE[:-12],
    "a PNG with a wrong sum": lambda: FINE[:-16] + bytes(4) + FINE[-12:],
    "a PNG of ten billion pixels": lambda: png(100_000, 100_000, ROWS),
    "a PNG of four billion a side": lambda: png(0xFFFFFFFF, 0xFFFFFFFF, ROWS),
    "a PNG of no size": lambda: png(0, 0, ROWS),
    "a PNG of a hundred megapixels": lambda: png(
        10_000, 10_000, zlib.compress(bytes(300_010_000), 1)
    ),
    "a PNG with too few rows": lambda: png(4_000, 4_000, zlib.compress(bytes(1_000))),
    "a PNG with too many rows": lambda: png(10, 10, ROWS),
    "a PNG of an unknown kind": lambda: png(10, 10, ROWS, kind=9),
    "a PNG of a strange depth": lambda: png(10, 10, ROWS, depth=7),
    "a PNG without its colours": lambda: png(10, 10, ROWS, kind=3),
    "a PNG with words that unpack": lambda: png(
        2, 2, zlib.compress(bytes(14)), more=chunk(b"zTXt", b"a\0\0" + ROWS) * 3
    ),
    "a PNG with colours that unpack": lambda: png(
        2, 2, zlib.compress(bytes(14)), more=chunk(b"iCCP", b"a\0\0" + ROWS)
    ),
    "a PNG of many parts": lambda: png(
        2, 2, zlib.compress(bytes(14)), more=chunk(b"tEXt", b"a\0b") * 50_000
    ),
    "a PNG that moves without end": lambda: png(
        9, 9, zlib.compress(bytes(252)), more=chunk(b"acTL", b"\xff\xff\xff\xff\0\0\0\0")
    ),
    "a spoilt PNG": lambda: spoilt(FINE, 1),
    "the head of a JPEG": lambda: JPEG[:20],
    "half a JPEG": lambda: JPEG[: len(JPEG) // 2],
    "a JPEG of four billion pixels": lambda: _sized(
        JPEG, _jpeg_frame_at(JPEG), b"\xff\xff\xff\xff"
    ),
    "a JPEG of no size": lambda: _sized(JPEG, _jpeg_frame_at(JPEG), b"\0\0\0\0"),
    "a spoilt JPEG": lambda: spoilt(JPEG, 2),
    "a spoilt JPEG in steps": lambda: spoilt(picture("JPEG", progressive=True), 3),
    "a JPEG with nothing but marks": lambda: b"\xff\xd8" + b"\xff\xe1\0\2" * 200_000,
    "a JPEG with a false turn": lambda: picture(
        "JPEG", exif=b"Exif\0\0II*\0\x08\0\0\0\xff\xff" + b"\1" * 400
    ),
    "a JPEG in steps of 200 megapixels": lambda: _sized(
        picture("JPEG", progressive=True),
        picture("JPEG", progressive=True).index(b"\xff\xc2") + 5,
        struct.pack(">HH", 14_000, 14_000),
    ),
    "the head of a GIF": lambda: GIF[:13],
    "half a GIF": lambda: GIF[: len(GIF) // 2],
    "a GIF of four billion pixels": lambda: _sized(GIF, 6, b"\xff\xff\xff\xff"),
    "a spoilt GIF": lambda: spoilt(GIF, 4),
    "half a WebP": lambda: WEBP[: len(WEBP) // 2],
    "a WebP that lies about its size": lambda: _sized(WEBP, 4, b"\xff\xff\xff\x7f"),
    "a spoilt WebP": lambda: spoilt(WEBP, 5),
    "a WebP with nothing in it": lambda: b"RIFF\x04\0\0\0WEBP",
    "half an AVIF": lambda: AVIF[: len(AVIF) // 2],
    "a spoilt AVIF": lambda: spoilt(AVIF, 6),
    "the head of a HEIC": lambda: HEIC,
    "a HEIC of boxes": lambda: (
        HEIC + struct.pack(">I", 8) + b"meta" + (b"\0\0\0\x08free" * 100_000)
    ),
}
