"""A picture that every provider takes."""

import zlib

from tests.hostile import pictures

SIDE = 8


def png() -> bytes:
    """Draw a red square."""
    row = b"\0" + b"\xff\0\0" * SIDE
    return pictures.png(SIDE, SIDE, zlib.compress(row * SIDE))
