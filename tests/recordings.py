"""Recordings in each container that people send, of a length that is known."""

import struct

OPUS_HEAD = b"OpusHead" + struct.pack("<BBHIHB", 1, 1, 312, 48_000, 0, 0)
UNKNOWN_SIZE = b"\x01" + b"\xff" * 7
# Packets of 20 and of 60 milliseconds: wideband speech, one frame, and some bytes of it.
PACKET_20, PACKET_60 = bytes([9 << 3]) + b"speech", bytes([11 << 3]) + b"speech"


def wav(seconds: float = 1.0, words: str | None = None, *, rate: int = 8_000) -> bytes:
    """A recording of silence in whole samples; the demo model hears the words in it."""
    samples = bytes(2 * round(seconds * rate))
    form = struct.pack("<HHIIHH", 1, 1, rate, 2 * rate, 2, 16)
    said = b"" if words is None else chunk(b"LIST", b"INFO" + chunk(b"ICMT", words.encode()))
    return riff(chunk(b"fmt ", form) + said + chunk(b"data", samples))


def riff(body: bytes) -> bytes:
    return b"RIFF" + struct.pack("<I", len(body) + 4) + b"WAVE" + body


def chunk(name: bytes, body: bytes) -> bytes:
    return name + struct.pack("<I", len(body)) + body + bytes(len(body) % 2)


def ogg(packets: int = 50, packet: bytes = PACKET_20, *, position: int | None = None) -> bytes:
    """What messengers record: Opus in Ogg, so many packets to a page."""
    made = page(OPUS_HEAD, kind=2) + page(b"OpusTags" + bytes(8))
    for at in range(0, packets, 50):
        here = min(50, packets - at)
        ends = 960 * (at + here) + 312 if position is None else position
        made += page(*([packet] * here), position=ends)
    return made


def page(*packets: bytes, kind: int = 0, position: int = 0, serial: int = 7) -> bytes:
    """A page of whole packets."""
    lacing = b"".join(b"\xff" * (len(one) // 255) + bytes([len(one) % 255]) for one in packets)
    head = struct.pack("<4sBBqIIIB", b"OggS", 0, kind, position, serial, 0, 0, len(lacing))
    return head + lacing + b"".join(packets)


def webm(packets: int = 50, *, codec: bytes = b"A_OPUS", kind: int = 2, step: int = 20) -> bytes:
    """What Chromium records: Opus in WebM, whose sizes are not known while it is made."""
    track = element(
        0xAE, element(0xD7, b"\1") + element(0x83, bytes([kind])) + element(0x86, codec)
    )
    made = (
        element(0x1A45DFA3, element(0x4282, b"webm")) + b"\x18\x53\x80\x67" + b"\x01" + b"\xff" * 7
    )
    made += element(0x1654AE6B, track)
    for at in range(0, packets, 50):
        made += (
            b"\x1f\x43\xb6\x75\x01" + b"\xff" * 7 + element(0xE7, (at * step).to_bytes(4, "big"))
        )
        for number in range(min(50, packets - at)):
            block = b"\x81" + struct.pack(">hB", number * step, 0x80) + PACKET_20
            made += element(0xA3, block)
    return made


def element(name: int, body: bytes) -> bytes:
    return (
        name.to_bytes(-(-name.bit_length() // 8), "big")
        + struct.pack(">I", 0x10000000 | len(body))
        + body
    )


def mp4(seconds: int = 2, *, kind: bytes = b"soun", size: int = 400) -> bytes:
    """What phones record: M4A in one piece, of samples that are a fiftieth of a second."""
    stts = box(b"stts", struct.pack(">IIII", 0, 1, 50 * seconds, 160))
    return _mp4(kind, stts) + box(b"mdat", bytes(size))


def fragmented_mp4(fragments: int = 2, *, gap: int = 0) -> bytes:
    """What Safari records: M4A in fragments of a second, with so many samples between them."""
    mvex = box(b"mvex", box(b"trex", struct.pack(">IIIIII", 0, 1, 1, 160, 0, 0)))
    made = _mp4(b"soun", box(b"stts", bytes(8)), mvex)
    for number in range(fragments):
        begins = number * (8_000 + gap)
        run = box(b"tfhd", struct.pack(">II", 0x020000, 1))
        run += box(b"tfdt", struct.pack(">IQ", 1 << 24, begins))
        run += box(b"trun", struct.pack(">II", 0, 50))
        made += box(b"moof", box(b"traf", run)) + box(b"mdat", bytes(100))
    return made


def _mp4(kind: bytes, stts: bytes, mvex: bytes = b"") -> bytes:
    head = box(b"tkhd", struct.pack(">IIIII", 0, 0, 0, 1, 0) + bytes(60))
    scale = box(b"mdhd", struct.pack(">IIIIII", 0, 0, 0, 8_000, 0, 0))
    handler = box(b"hdlr", struct.pack(">II4s", 0, 0, kind) + bytes(13))
    mdia = box(b"mdia", scale + handler + box(b"minf", box(b"stbl", stts)))
    return box(b"ftyp", b"M4A \0\0\0\0") + box(b"moov", box(b"trak", head + mdia) + mvex)


def box(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I4s", len(body) + 8, name) + body


def mp3(frames: int = 40, *, tag: bool = True) -> bytes:
    """Frames of 32 kbit/s at 16 kHz, each of which plays 36 milliseconds."""
    size = 576 // 8 * 32_000 // 16_000
    frame = b"\xff\xf3\x48\xc4" + bytes(size - 4)
    return (b"ID3\4\0\0\0\0\0\x0a" + bytes(10) if tag else b"") + frame * frames
