"""Answers about what came along with a message."""

import struct

from embedded.demo_model.conversation import Picture
from embedded.demo_model.prompt import Moment
from embedded.demo_model.reply import Reply

QUOTED_CHARS = 400
JPEG_SIZES = {0xC0, 0xC1, 0xC2, 0xC3}


def pictures(at: Moment) -> Reply | None:
    """Describe the images by what can be measured."""
    shown = at.asked.question.pictures
    if not shown:
        return None
    listed = "\n".join(f"- {_describe(picture)}" for picture in shown)
    count = "an image" if len(shown) == 1 else f"{len(shown)} images"
    return Reply(
        f"I received {count}:\n\n{listed}\n\n"
        "I am the demo model and cannot see what is on it; a real model would."
    )


def files(at: Moment) -> Reply | None:
    """Quote how each attached text begins."""
    if not at.asking.files:
        return None
    quoted = [_quote(name, text) for name, text in at.asking.files]
    return Reply("\n\n".join(quoted))


def _quote(name: str, text: str) -> str:
    beginning = text[:QUOTED_CHARS].rstrip()
    lines = "\n".join(f"> {line}" for line in beginning.splitlines())
    more = "\n\nIt goes on after that." if len(text) > QUOTED_CHARS else ""
    return f"I received **{name}** ({len(text.split())} words). It begins:\n\n{lines}{more}"


def _describe(picture: Picture) -> str:
    kind = picture.media_type.removeprefix("image/").upper()
    size = len(picture.data)
    weight = f"{size} bytes" if size < 1024 else f"{size / 1024:.0f} kB"
    measured = dimensions(picture.data)
    return (
        f"{kind}, {measured[0]} × {measured[1]} pixels, {weight}"
        if measured
        else (f"{kind}, {weight}")
    )


def dimensions(data: bytes) -> tuple[int, int] | None:
    """Measure an image in pixels by its header; None when its kind is not known."""
    if data.startswith(b"\x89PNG") and len(data) >= 24:
        return struct.unpack(">II", data[16:24])
    if data.startswith(b"GIF8") and len(data) >= 10:
        return struct.unpack("<HH", data[6:10])
    if data.startswith(b"\xff\xd8"):
        return _jpeg_dimensions(data)
    if data[:4] == b"RIFF" and data[8:16] == b"WEBPVP8 " and len(data) >= 30:
        width, height = struct.unpack("<HH", data[26:30])
        return width & 0x3FFF, height & 0x3FFF
    return None


def _jpeg_dimensions(data: bytes) -> tuple[int, int] | None:
    at = 2
    while at + 9 <= len(data) and data[at] == 0xFF:
        length = int.from_bytes(data[at + 2 : at + 4], "big")
        if data[at + 1] in JPEG_SIZES:
            height, width = struct.unpack(">HH", data[at + 5 : at + 9])
            return width, height
        at += 2 + length
    return None
