"""What the demo model hears: what a recording says of itself, or how long it is."""

import httpx2
import pytest

from embedded.demo_model.hearing import hear
from tests.embedded.demo_model.served import Served
from tests.recordings import mp4, ogg, wav, webm

KEY = {"Authorization": "Bearer k"}


HEARD: list[tuple[bytes, str, float | None]] = [
    (wav(1, "Straße? Ja!"), "Straße? Ja!", 1),
    (wav(1, ""), "", 1),
    (wav(3), "The demo model cannot listen. This was 3 seconds.", 3),
    (ogg(60), "The demo model cannot listen. This was 1 second.", 1.2065),
    (webm(100), "The demo model cannot listen. This was 2 seconds.", 1.98),
    (mp4(), "The demo model cannot listen, and does not know how long this was.", None),
    (b"RIFF\0\0\0\0WAVEfmt ", "The demo model cannot listen, and does not know", None),
    (b"OggS", "The demo model cannot listen, and does not know", None),
    (b"\x1a\x45\xdf\xa3\x1f\x43\xb6\x75\xe7", "The demo model cannot listen", None),
]


@pytest.mark.parametrize(("data", "words", "seconds"), HEARD, ids=range(len(HEARD)))
def test_it_hears_what_the_recording_says(data: bytes, words: str, seconds: float | None) -> None:
    found = hear(data)
    assert found.text.startswith(words)
    assert found.seconds == pytest.approx(seconds, abs=0.001)


def _post(demo: Served, data: bytes | None, headers: dict[str, str]) -> httpx2.Response:
    files = {"file": ("a.wav", data, "audio/wav")} if data is not None else {"other": b"1"}
    url = f"{demo.url}/v1/audio/transcriptions"
    return httpx2.post(url, files=files, data={"model": "demo-transcribe"}, headers=headers)


def test_it_answers_as_openai_does(demo: Served) -> None:
    said = _post(demo, wav(2, "Water the tomatoes."), KEY)
    assert said.json() == {
        "text": "Water the tomatoes.",
        "usage": {"type": "duration", "seconds": 2.0},
    }
    assert said.headers["x-request-id"].startswith("req_")
    assert _post(demo, mp4(), KEY).json().keys() == {"text"}
    assert _post(demo, wav(), {}).status_code == 401
    assert _post(demo, None, KEY).status_code == 400
