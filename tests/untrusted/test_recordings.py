"""How long recordings are: by what would be played of them, whatever their heads say."""

from collections.abc import Callable

import pytest

from tests.recordings import (
    OPUS_HEAD,
    PACKET_60,
    chunk,
    fragmented_mp4,
    mp3,
    mp4,
    ogg,
    page,
    riff,
    wav,
    webm,
)
from untrusted import recordings
from untrusted.inside.audio.measured import BadRecording
from untrusted.inside.recordings import measure
from untrusted.recordings import SUFFIXES, UnusableRecording

KNOWN: list[tuple[bytes, str, float]] = [
    (wav(1.5), "audio/wav", 1.5),
    (wav(2, "Hello", rate=44_100), "audio/wav", 2),
    (ogg(50), "audio/ogg", 1),
    (ogg(120), "audio/ogg", 2.4),
    (webm(50), "audio/webm", 1),
    (webm(120), "audio/webm", 2.4),
    (mp4(3), "audio/mp4", 3),
    (fragmented_mp4(3), "audio/mp4", 3),
    (mp3(100), "audio/mpeg", 3.6),
    (mp3(100, tag=False), "audio/mpeg", 3.6),
]


@pytest.mark.parametrize(("data", "media_type", "seconds"), KNOWN, ids=range(len(KNOWN)))
def test_a_recording_is_what_is_in_it_and_as_long_as_it_plays(
    data: bytes, media_type: str, seconds: float
) -> None:
    found = measure(data)
    assert found.media_type == media_type
    assert found.seconds == pytest.approx(seconds, abs=0.001)


def test_every_kind_is_known_by_its_ending() -> None:
    assert {media_type for _, media_type, _ in KNOWN} == set(SUFFIXES)


LIES: list[tuple[str, bytes, float]] = [
    ("positions of Ogg that stay at nothing", ogg(100, position=0), 2),
    ("positions of Ogg before the beginning", ogg(100, position=-1), 2),
    ("longer packets than positions", ogg(100, PACKET_60), 6),
    ("a second stream behind the first", ogg(50) + ogg(50), 2),
    ("nonsense between the pages", ogg(50) + b"nonsense" * 9 + page(*[b"\x48s"] * 50), 2),
    ("times of WebM that stand still", webm(100, step=0), 2),
    ("nonsense between the clusters", webm(50) + b"\0" * 99 + webm(50), 2),
    ("a table of M4A that says nothing", mp4(1, size=520_000), 8),
    ("fragments with gaps", fragmented_mp4(3, gap=8_000), 5),
    ("a WAV of no size", wav(2)[:40] + bytes(4) + wav(2)[44:], 2),
    ("a WAV that says it is large", wav(2)[:40] + b"\xfe\xff\xff\x7f" + wav(2)[44:], 2),
    ("frames behind damaged ones", mp3(50) + b"\0\xff\0" * 9 + mp3(50, tag=False), 3.6),
]


@pytest.mark.parametrize(
    ("data", "seconds"), [lie[1:] for lie in LIES], ids=[one[0] for one in LIES]
)
def test_what_a_head_says_makes_nothing_shorter(data: bytes, seconds: float) -> None:
    assert measure(data).seconds == pytest.approx(seconds, abs=0.01)


BAD: list[tuple[str, bytes, str]] = [
    ("nothing", b"", "not_audio"),
    ("a text", b"Hello? " * 100, "not_audio"),
    ("a picture", b"\x89PNG\r\n\x1a\n" + bytes(100), "not_audio"),
    ("a PDF", b"%PDF-1.7 nonsense", "not_audio"),
    ("a film in WebM", webm(kind=1), "not_audio"),
    ("a film in MP4", mp4(kind=b"vide"), "not_audio"),
    ("no track", webm(kind=17), "not_audio"),
    ("Matroska", webm().replace(b"webm", b"what"), "not_audio"),
    ("another codec in Ogg", page(b"\x80theora" + bytes(40), kind=2), "not_audio"),
    ("a compressed WAV", riff(chunk(b"fmt ", b"\x55\0" + bytes(14))), "not_audio"),
    ("heads and no sound", page(OPUS_HEAD, kind=2) + page(b"OpusTags"), "broken"),
    ("a page that begins nothing", page(b"speech"), "broken"),
    ("no samples", wav(0), "broken"),
    ("no form", riff(chunk(b"data", bytes(99))), "broken"),
    ("a form that is cut", riff(b"fmt \x10\0\0\0\1\0"), "broken"),
    (
        "no channels",
        riff(chunk(b"fmt ", b"\1\0\0\0" + bytes(12)) + chunk(b"data", b"aa")),
        "broken",
    ),
    ("samples of M4A that take no time", mp4(0), "broken"),
    ("a box that is cut", mp4()[:40] + b"\0\0\0\x0ctkhd\0\0\0\0", "broken"),
    ("one frame alone and then nonsense", mp3(1, tag=False) + b"nonsense", "not_audio"),
]


@pytest.mark.parametrize(("data", "fault"), [bad[1:] for bad in BAD], ids=[bad[0] for bad in BAD])
def test_what_cannot_be_played_is_said_to_be_so(data: bytes, fault: str) -> None:
    with pytest.raises(BadRecording) as bad:
        measure(data)
    assert bad.value.fault == fault


@pytest.mark.parametrize("make", [wav, ogg, webm, mp4, fragmented_mp4, mp3])
def test_any_part_of_a_recording_comes_to_an_end(make: Callable[[], bytes]) -> None:
    whole = make()
    for end in range(0, len(whole), 7):
        cut = whole[:end]
        for data in (cut, cut + b"\xff" * 9, bytes(byte ^ (end & 0xFF) for byte in cut)):
            try:
                measure(data)
            except BadRecording:
                continue


def test_a_helper_looks_into_it() -> None:
    found = recordings.measure(ogg(50), owner="ada")
    assert (found.media_type, found.duration_ms, found.suffix) == ("audio/ogg", 1_000, ".ogg")
    with pytest.raises(UnusableRecording) as bad:
        recordings.measure(b"Hello?", owner="ada")
    assert bad.value.fault == "not_audio"
