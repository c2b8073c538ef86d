"""Voice notes as WAV files that say in words what is heard in them.

The words stand in an INFO comment (the chunk ICMT of a LIST), where the demo transcriber looks for
them: it cannot hear.
"""

import math
import struct

RATE = 8_000
SECONDS_A_WORD = 0.4
SHORTEST_SECONDS, LONGEST_SECONDS = 1.0, 30.0
TONE_HERTZ, LOUDNESS = 220.0, 1_600
MEDIA_TYPE = "audio/wav"
HEADER_BYTES = 12


def sample(words: str) -> bytes:
    """Make a voice note with a low hum about as long as it would take to say the words."""
    wanted = SECONDS_A_WORD * len(words.split())
    count = int(RATE * min(LONGEST_SECONDS, max(SHORTEST_SECONDS, wanted)))
    step = 2 * math.pi * TONE_HERTZ / RATE
    tones = (int(LOUDNESS * math.sin(at * step) * _swell(at)) for at in range(count))
    samples = struct.pack(f"<{count}h", *tones)
    shape = struct.pack("<HHIIHH", 1, 1, RATE, 2 * RATE, 2, 16)
    body = b"WAVE" + _chunk(b"fmt ", shape) + _chunk(b"data", samples)
    return with_words(_chunk(b"RIFF", body), words)


def with_words(wav: bytes, words: str) -> bytes:
    """Add to a WAV file what is said in it; anything else comes back as it is."""
    if not words or not _is_wav(wav):
        return wav
    text = words.encode() + b"\0"
    before = wav[8:] + b"\0" * (len(wav) % 2)
    body = before + _chunk(b"LIST", b"INFO" + _chunk(b"ICMT", text))
    return _chunk(b"RIFF", body)


def seconds(content: bytes) -> int:
    """Return how long a WAV file plays, in whole seconds; 1 for anything else."""
    if not _is_wav(content):
        return 1
    a_second, at = 0, HEADER_BYTES
    while at + 8 <= len(content):
        name, length = content[at : at + 4], int.from_bytes(content[at + 4 : at + 8], "little")
        if name == b"fmt ":
            a_second = int.from_bytes(content[at + 16 : at + 20], "little")
        if name == b"data" and a_second:
            return max(1, round(length / a_second))
        at += 8 + length + length % 2
    return 1


def _is_wav(content: bytes) -> bool:
    return content[:4] == b"RIFF" and content[8:HEADER_BYTES] == b"WAVE"


def _swell(at: int) -> float:
    """Let the hum come and go, as speech does."""
    return 0.55 + 0.45 * math.sin(at / RATE * 9)


def _chunk(name: bytes, content: bytes) -> bytes:
    # Chunks begin at even places.
    return name + struct.pack("<I", len(content)) + content + b"\0" * (len(content) % 2)
