"""Files that say they are texts, by name."""

import codecs
from collections.abc import Callable
from random import Random

MB = 1024 * 1024
TEXTS: dict[str, Callable[[], bytes]] = {
    "one byte": lambda: b"\xff",
    "a zero": lambda: b"\0",
    "zeros": lambda: bytes(MB),
    "noise": lambda: Random(1).randbytes(MB),
    "a program": lambda: b"\x7fELF" + Random(2).randbytes(10_000),
    "a program for Windows": lambda: b"MZ\x90\0\3" + Random(3).randbytes(10_000),
    "an archive": lambda: b"PK\3\4" + Random(4).randbytes(10_000),
    "half a letter": lambda: "é".encode()[:1],
    "many halves of letters": lambda: "é".encode()[:1] * MB,
    "overlong letters": lambda: b"\xc0\x80" * MB,
    "surrogates": lambda: b"\xed\xa0\x80" * MB,
    "only a mark": lambda: codecs.BOM_UTF16_LE,
    "an odd UTF-16": lambda: codecs.BOM_UTF16_LE + b"a" * 1_001,
    "UTF-16 of surrogates": lambda: codecs.BOM_UTF16_LE + b"\0\xd8" * MB,
    "UTF-16 of zeros": lambda: codecs.BOM_UTF16_BE + bytes(MB),
    "UTF-32 that is none": lambda: codecs.BOM_UTF32_LE + b"\xff" * MB,
    "marks on marks": lambda: codecs.BOM_UTF8 * MB,
    "ten megabytes of one letter": lambda: b"a" * (10 * MB),
    "ten megabytes of line ends": lambda: b"\n" * (10 * MB),
    "ten megabytes of a Western letter": lambda: b"\xe9" * (10 * MB),
    "ten megabytes of Chinese": lambda: "你好".encode("gbk") * (2 * MB),
    "ten megabytes of Japanese": lambda: "こんにちは".encode("cp932") * MB,
    "ten megabytes of emoji": lambda: "👩‍👩‍👧‍👦".encode() * (MB // 3),
    "escapes": lambda: b"\x1b[2J\x1b]0;x\7" * 10_000,
    "both directions": lambda: "\u202e\u2066".encode() * MB,
    "accents without letters": lambda: "\u0301".encode() * MB,
    "a PDF that says so late": lambda: b"\n" * 2_000 + b"%PDF-1.7\nstartxref\n0\n%%EOF",
    "words about PDFs": lambda: b"A PDF begins with %PDF-1.7 and is binary.\n" * 100,
    "a mark in the middle": lambda: b"a" * MB + codecs.BOM_UTF16_LE + b"a" * MB,
    "Western and noise": lambda: b"Stra\xdfe " * 1_000 + Random(5).randbytes(100),
}
