"""MP3 and its elder layers: frames, each with its own head (ISO/IEC 11172-3 and 13818-3)."""

from dataclasses import dataclass

from untrusted.inside.audio.measured import BadRecording, Measured

ID3 = b"ID3"
ID3_HEAD = 10
# Kilobits a second of each layer, of version 1 and of its two successors.
RATES_1 = {
    1: (0, 32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448),
    2: (0, 32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384),
    3: (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
}
LOWER = (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160)
RATES_2 = {
    1: (0, 32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256),
    2: LOWER,
    3: LOWER,
}
SAMPLE_RATES = (44_100, 48_000, 32_000)
# By the bits of the version: what its sample rates are divided by.
DIVISORS = {0: 4, 2: 2, 3: 1}


@dataclass(frozen=True)
class _Frame:
    size: int
    seconds: float


def find(data: bytes) -> int | None:
    """Return where the first frame begins, if this is a file of frames; else None."""
    at = 0
    while data.startswith(ID3, at):
        at += ID3_HEAD + _tag_size(data, at)
    frame = _frame(data, at)
    if frame is None:
        return None
    # By chance two bytes look like a head; another one right behind the frame does not.
    after = at + frame.size
    return at if after >= len(data) or _frame(data, after) else None


def measure(data: bytes) -> Measured:
    """Add up the frames. Raises BadRecording."""
    at, seconds = find(data), 0.0
    if at is None:
        raise BadRecording("not_audio")
    while at >= 0:
        frame = _frame(data, at)
        if frame is not None:
            seconds += frame.seconds
        # A reader finds its way again behind what is damaged.
        at = data.find(b"\xff", at + (frame.size if frame else 1))
    return Measured("audio/mpeg", seconds)


def _tag_size(data: bytes, at: int) -> int:
    size = 0
    for byte in data[at + 6 : at + ID3_HEAD]:
        size = size << 7 | byte & 0x7F
    return size


def _frame(data: bytes, at: int) -> _Frame | None:
    head = int.from_bytes(data[at : at + 4], "big")
    version, layer = head >> 19 & 3, 4 - (head >> 17 & 3)
    rate, sampling, is_padded = head >> 12 & 15, head >> 10 & 3, head >> 9 & 1
    if at + 4 > len(data) or head >> 21 != 0x7FF or version == 1 or layer == 4:
        return None
    if rate in {0, 15} or sampling == 3:
        return None
    bits = (RATES_1 if version == 3 else RATES_2)[layer][rate] * 1000
    per_second = SAMPLE_RATES[sampling] // DIVISORS[version]
    samples = 384 if layer == 1 else 576 if layer == 3 and version != 3 else 1152
    size = samples // 8 * bits // per_second
    # In the first layer sizes go by fours.
    size = size // 4 * 4 + 4 * is_padded if layer == 1 else size + is_padded
    return _Frame(size, samples / per_second)
