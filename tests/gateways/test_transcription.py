"""Providers that listen, over a socket: what they are sent, and what is made of all they answer."""

import gzip
import time
from collections.abc import Generator
from typing import Any

import pytest
from pydantic import SecretStr

from gateways import transcription
from gateways.transcription import AudioUsage, Recording, Transcript, TranscriptionFailed
from settings import Settings
from tests.recordings import ogg, wav
from tests.transcriber import WORDS, Reply, Transcriber, gemini_heard, heard, served_transcriber

MOST = 20_000
SAID = Recording(ogg(100), "audio/ogg", ".ogg", 2.0)


@pytest.fixture(scope="module")
def served() -> Generator[Transcriber]:
    with served_transcriber() as running:
        yield running


@pytest.fixture
def provider(served: Transcriber) -> Transcriber:
    """One that hears the usual words, until a test says otherwise."""
    served.answers(heard())
    served.asked.clear()
    return served


def settings_for(provider: Transcriber, **more: Any) -> Settings:
    given: dict[str, Any] = {
        "secret_key": SecretStr("a-secret-key-that-only-tests-know"),
        "database_url": SecretStr("postgresql://nowhere"),
        "redis_url": SecretStr("redis://nowhere"),
        "openai_api_key": SecretStr("our-key"),
        "openai_base_url": f"{provider.url}/v1",
        "gemini_api_key": SecretStr("our-key"),
        "gemini_base_url": provider.url,
        "transcription_base_url": f"{provider.url}/whisper",
        "demo_model_url": provider.url,
        "transcription_timeout_seconds": 20.0,
    }
    return Settings(_env_file=None, **{**given, **more})  # pyright: ignore[reportCallIssue]


def hear(
    provider: Transcriber,
    name: transcription.Transcribing = "openai",
    model: str = "gpt-transcribe",
    **more: Any,
) -> Transcript:
    language = more.pop("language", "")
    settings = settings_for(provider, **more)
    return transcription.transcribe(settings, name, model, SAID, language=language, most_chars=MOST)


def test_openai_is_sent_the_recording_by_its_kind(provider: Transcriber) -> None:
    provider.answers(heard(type="duration", seconds=2))
    found = hear(provider)
    assert found.text == WORDS
    assert found.usage == AudioUsage(seconds=2)
    [asked] = provider.asked
    assert asked.path == "/v1/audio/transcriptions"
    assert asked.headers["Authorization"] == "Bearer our-key"
    assert SAID.data in asked.body
    assert b'name="file"; filename="recording.ogg"' in asked.body
    assert b"Content-Type: audio/ogg" in asked.body
    assert b"gpt-transcribe" in asked.body
    assert b"languages" not in asked.body


def test_a_language_is_a_hint_where_it_is_no_order(provider: Transcriber) -> None:
    hear(provider, language="de-AT")
    hear(provider, model="whisper-1", language="de")
    hear(provider, language="what <> is this")
    with_hint, as_order, nonsense = (one.body for one in provider.asked)
    assert b'name="languages[]"\r\n\r\nde\r\n' in with_hint
    assert b'name="language' not in as_order
    assert b'name="language' not in nonsense


def test_tokens_are_read_where_a_model_counts_them(provider: Transcriber) -> None:
    details = {"audio_tokens": 20, "text_tokens": 3}
    provider.answers(
        heard(type="tokens", input_tokens=23, output_tokens=7, input_token_details=details)
    )
    assert hear(provider).usage == AudioUsage(None, 20, 3, 7)


@pytest.mark.parametrize(
    ("name", "path"),
    [("compatible", "/whisper/audio/transcriptions"), ("demo", "/v1/audio/transcriptions")],
)
def test_other_servers_need_no_key_and_count_nothing(
    provider: Transcriber, name: transcription.Transcribing, path: str
) -> None:
    assert hear(provider, name, "whisper-1") == Transcript(WORDS, AudioUsage(), None)
    assert provider.asked[0].path == path


def test_gemini_is_told_to_write_it_down(provider: Transcriber) -> None:
    provider.answers(gemini_heard(audio=64, output=9))
    found = hear(provider, "gemini", "gemini-3.5-flash-lite", language="fr")
    assert found == Transcript(WORDS, AudioUsage(None, 64, 100, 9), "resp_1")
    [asked] = provider.asked
    assert asked.path == "/v1beta/models/gemini-3.5-flash-lite:generateContent"
    assert asked.headers["x-goog-api-key"] == "our-key"
    assert b'"audio/ogg"' in asked.body
    assert b"\\u201cfr\\u201d" in asked.body
    assert b'"maxOutputTokens": 2096' in asked.body


@pytest.mark.parametrize(
    "answer",
    [
        gemini_heard("", output=1),
        gemini_heard(content={"parts": [{"text": '{"text": "Water the'}]}),
        gemini_heard(content={"parts": [{"text": "[1]"}]}),
        gemini_heard(content=None, finishReason="SAFETY"),
        Reply({"usageMetadata": {"promptTokenCount": 164}, "promptFeedback": {}}),
    ],
)
def test_an_answer_of_no_use_is_nothing_heard_and_still_counted(
    provider: Transcriber, answer: Reply
) -> None:
    provider.answers(answer)
    found = hear(provider, "gemini", "gemini-3.5-flash-lite")
    assert found.text == ""
    assert found.usage.input_tokens == 164


def test_what_cannot_be_kept_is_left_out_and_the_rest_is_cut(provider: Transcriber) -> None:
    provider.answers(heard(" A\0b\x1b\r\nc\u0085 " + "x" * 30_000 + " "))
    text = hear(provider).text
    assert text.startswith("Ab \nc  xx")
    assert len(text) == MOST


FAILURES: list[tuple[int, bool]] = [
    (400, True),
    (415, True),
    (401, False),
    (429, False),
    (503, False),
    (302, False),
]


@pytest.mark.parametrize(("status", "is_permanent"), FAILURES)
@pytest.mark.parametrize("name", ["openai", "gemini"])
def test_a_refusal_says_whether_another_try_may_help(
    provider: Transcriber, name: transcription.Transcribing, status: int, is_permanent: bool
) -> None:
    headers = (("retry-after-ms", "1"), ("Location", f"{provider.url}/elsewhere"))
    provider.answers(Reply({"error": {"message": "No.", "code": status}}, status, headers=headers))
    with pytest.raises(TranscriptionFailed) as failed:
        hear(provider, name)
    assert (failed.value.status, failed.value.is_permanent) == (status, is_permanent)
    assert {one.path for one in provider.asked} == {provider.asked[0].path}


@pytest.mark.parametrize("name", ["openai", "gemini"])
def test_once_more_is_asked_where_that_may_help(
    provider: Transcriber, name: transcription.Transcribing
) -> None:
    trouble = Reply({"error": {"message": "Later."}}, 503, headers=(("retry-after-ms", "1"),))
    provider.answers(trouble, heard() if name == "openai" else gemini_heard())
    assert hear(provider, name).text == WORDS
    assert len(provider.asked) == 2


BROKEN: list[tuple[str, Reply]] = [
    ("no JSON", Reply(b"<html>Hello</html>")),
    ("half of it", Reply(b'{"text": "Wat')),
    ("a list", Reply([1, 2])),
    ("a number for words", Reply({"text": 7, "candidates": 7})),
    ("nothing", Reply(b"")),
    ("too much", Reply(b'{"text": "' + b"x" * 2_000_000 + b'"}')),
    ("deep", Reply(b"[" * 100_000)),
    (
        "what unpacks",
        Reply(gzip.compress(bytes(9_000_000)), headers=(("Content-Encoding", "gzip"),)),
    ),
]


@pytest.mark.parametrize("answer", [one[1] for one in BROKEN], ids=[one[0] for one in BROKEN])
@pytest.mark.parametrize("name", ["openai", "gemini"])
def test_an_answer_that_is_none_is_a_failure_that_may_pass(
    provider: Transcriber, name: transcription.Transcribing, answer: Reply
) -> None:
    provider.answers(answer)
    with pytest.raises(TranscriptionFailed) as failed:
        hear(provider, name)
    assert not failed.value.is_permanent


@pytest.mark.parametrize(
    "usage", [7, {"seconds": "many"}, {"seconds": -1}, {"input_tokens": 10**18}]
)
def test_odd_usage_is_none(provider: Transcriber, usage: object) -> None:
    provider.answers(Reply({"text": WORDS, "usage": usage}))
    assert hear(provider) == Transcript(WORDS, AudioUsage(), None)


@pytest.mark.parametrize("name", ["openai", "gemini"])
@pytest.mark.parametrize(
    "reply", [Reply({}, after_seconds=30), Reply({"a": "b" * 99}, drip_seconds=0.3)]
)
def test_a_provider_that_takes_too_long_is_given_up(
    provider: Transcriber, name: transcription.Transcribing, reply: Reply
) -> None:
    provider.answers(reply)
    began = time.monotonic()
    with pytest.raises(TranscriptionFailed) as failed:
        hear(provider, name, transcription_timeout_seconds=0.3)
    assert not failed.value.is_permanent
    assert time.monotonic() - began < 10


@pytest.mark.parametrize("name", ["openai", "gemini"])
def test_a_provider_that_is_not_there_is_a_failure_that_may_pass(
    name: transcription.Transcribing,
) -> None:
    with pytest.raises(TranscriptionFailed) as failed:
        hear(Transcriber("http://127.0.0.1:9"), name)
    assert (failed.value.status, failed.value.is_permanent) == (0, False)


def test_a_long_recording_is_sent_whole(provider: Transcriber) -> None:
    data = wav(600, rate=16_000)
    recording = Recording(data, "audio/wav", ".wav", 600.0)
    settings = settings_for(provider)
    transcription.transcribe(settings, "openai", "gpt-transcribe", recording, most_chars=MOST)
    assert data in provider.asked[0].body
