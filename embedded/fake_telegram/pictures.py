"""Pictures, as far as Telegram says something about them: their kind and size, and a preview."""

import struct
import zlib
from collections.abc import Callable

PREVIEW_PIXELS = 90
GREY = b"\x9a"
# Markers of JPEG that begin a frame; the others of their range are tables.
FRAMES = frozenset({*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC})


def media_type(content: bytes) -> str | None:
    """Return the kind of picture that this is; None for what is none that a page may show."""
    return next((kind for start, kind in STARTS if content.startswith(start)), None) or (
        "image/webp" if content[:4] == b"RIFF" and content[8:12] == b"WEBP" else None
    )


STARTS = (
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
)


def size(content: bytes) -> tuple[int, int] | None:
    """Return width and height; None for what is no picture, or not a whole one."""
    read = READERS.get(media_type(content) or "")
    try:
        return read(content) if read else None
    except struct.error:
        return None


def preview(width: int, height: int) -> bytes:
    """Make a small grey picture of these proportions, so that nobody takes it for the real one."""
    longest = max(width, height, 1)
    columns = max(1, width * PREVIEW_PIXELS // longest)
    rows = max(1, height * PREVIEW_PIXELS // longest)
    header = struct.pack(">IIBBBBB", columns, rows, 8, 0, 0, 0, 0)
    pixels = zlib.compress((b"\0" + GREY * columns) * rows)
    chunks = ((b"IHDR", header), (b"IDAT", pixels), (b"IEND", b""))
    return STARTS[0][0] + b"".join(_chunk(*chunk) for chunk in chunks)


def _chunk(name: bytes, content: bytes) -> bytes:
    checked = name + content
    return struct.pack(">I", len(content)) + checked + struct.pack(">I", zlib.crc32(checked))


def _of_png(content: bytes) -> tuple[int, int]:
    width, height = struct.unpack_from(">II", content, 16)
    return width, height


def _of_gif(content: bytes) -> tuple[int, int]:
    width, height = struct.unpack_from("<HH", content, 6)
    return width, height


def _of_jpeg(content: bytes) -> tuple[int, int] | None:
    at = 2
    while True:
        start, marker, length = struct.unpack_from(">BBH", content, at)
        if start != 0xFF:
            return None
        if marker in FRAMES:
            height, width = struct.unpack_from(">HH", content, at + 5)
            return width, height
        at += 2 + length


def _of_webp(content: bytes) -> tuple[int, int] | None:
    kind = content[12:16]
    if kind == b"VP8X":
        width, height = (int.from_bytes(content[at : at + 3], "little") for at in (24, 27))
        return width + 1, height + 1
    if kind == b"VP8L":
        (bits,) = struct.unpack_from("<I", content, 21)
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    width, height = struct.unpack_from("<HH", content, 26)
    return width & 0x3FFF, height & 0x3FFF


READERS: dict[str, Callable[[bytes], tuple[int, int] | None]] = {
    "image/png": _of_png,
    "image/gif": _of_gif,
    "image/jpeg": _of_jpeg,
    "image/webp": _of_webp,
}
