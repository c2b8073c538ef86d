"""Packets of Opus, each of which says in its first bytes how long it plays (RFC 6716, 3.1)."""

# By the upper five bits of the first byte, in milliseconds.
FRAMES_MS = (
    *((10, 20, 40, 60) * 3),
    *((10, 20) * 2),
    *((2.5, 5, 10, 20) * 4),
)
# No packet is longer; what says so cannot be played.
LONGEST_MS = 120.0


def packet_seconds(data: bytes, at: int, end: int) -> float:
    """Return how long the packet between `at` and `end` plays; 0 if it is none."""
    if at >= end:
        return 0.0
    first = data[at]
    kind = first & 3
    frames = (1, 2, 2)[kind] if kind < 3 else _counted(data, at + 1, end)
    whole = FRAMES_MS[first >> 3] * frames
    return whole / 1000 if whole <= LONGEST_MS else 0.0


def _counted(data: bytes, at: int, end: int) -> int:
    return data[at] & 0x3F if at < end else 0
