"""WAV: samples as they are, behind a head that says how many make a second."""

import struct

from untrusted.inside.audio.measured import BadRecording, Measured

# Whole numbers, fractions, their extension, and the two laws of telephones.
PLAIN = {1, 3, 0xFFFE, 6, 7}
MOST_RATE, MOST_CHANNELS, MOST_BITS = 768_000, 32, 64
# What is recorded as it is sent does not know its size.
UNKNOWN_SIZES = {0, 0xFFFFFFFF}


def measure(data: bytes) -> Measured:
    """Divide the samples by how many make a second. Raises BadRecording."""
    per_second, at = 0, 12
    while at + 8 <= len(data):
        name, size = struct.unpack_from("<4sI", data, at)
        body = at + 8
        if name == b"fmt ":
            per_second = _bytes_per_second(data, body)
        elif name == b"data":
            if not per_second:
                break
            left = len(data) - body
            return Measured("audio/wav", _size(size, left) / per_second)
        at = body + size + size % 2
    raise BadRecording("broken")


def _size(told: int, left: int) -> int:
    return left if told in UNKNOWN_SIZES else min(told, left)


def _bytes_per_second(data: bytes, at: int) -> int:
    if at + 16 > len(data):
        raise BadRecording("broken")
    kind, channels, rate, _, _, bits = struct.unpack_from("<HHIIHH", data, at)
    if kind not in PLAIN:
        raise BadRecording("not_audio")
    if not (0 < channels <= MOST_CHANNELS and 0 < rate <= MOST_RATE and 0 < bits <= MOST_BITS):
        raise BadRecording("broken")
    return channels * rate * -(-bits // 8)
