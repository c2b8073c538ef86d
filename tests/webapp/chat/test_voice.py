"""The microphone's page: what it takes in, what it answers, and where the button is shown."""

from collections.abc import Callable, Generator
from io import BytesIO
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from models import ledger
from models.base import new_id
from models.schema.ledger import FreezeReason
from models.schema.model_calls import ModelCall
from models.schema.users import User
from settings import Settings
from tests.recordings import ogg, wav
from tests.transcriber import WORDS, Reply, Transcriber, heard, served_transcriber
from tests.webapp.browser import Browser


@pytest.fixture(scope="module")
def served() -> Generator[Transcriber]:
    with served_transcriber() as running:
        yield running


@pytest.fixture
def provider(served: Transcriber, adjust: Callable[..., None]) -> Transcriber:
    served.answers(heard(type="duration", seconds=2))
    served.asked.clear()
    adjust(**served.environment())
    return served


def speak(browser: Browser, data: bytes | None = None, **form: Any) -> TestResponse:
    recording = (BytesIO(ogg(100) if data is None else data), "recording", "audio/webm")
    return browser.post("/voice", {"recording": recording, "key": str(new_id()), **form})


@pytest.mark.usefixtures("provider")
def test_a_recording_comes_back_as_words(adas: Browser) -> None:
    answer = speak(adas)
    assert (answer.status_code, answer.json) == (200, {"text": WORDS})


def test_the_demo_hears_what_a_recording_says(adas: Browser) -> None:
    assert speak(adas, wav(1, "Straße?")).json == {"text": "Straße?"}


def test_sent_again_under_its_key_it_is_heard_once(adas: Browser, provider: Transcriber) -> None:
    key = str(new_id())
    assert speak(adas, key=key).json == speak(adas, key=key).json
    assert len(provider.asked) == 1


@pytest.mark.parametrize(
    ("reply", "words", "trying_again"),
    [
        (Reply({}, 503, headers=(("retry-after-ms", "1"),)), "could not be turned", True),
        (Reply({}, 400), "cannot be turned into text", False),
        (heard(""), "No words could be heard", False),
    ],
)
def test_a_failure_is_said_and_whether_to_try_again(
    adas: Browser, provider: Transcriber, reply: Reply, words: str, trying_again: bool
) -> None:
    provider.answers(reply)
    answer = speak(adas)
    assert answer.status_code == 422
    assert answer.json is not None
    assert words in answer.json["refusal"]
    assert answer.json["trying_again"] is trying_again


@pytest.mark.parametrize(
    "form", [{"key": ""}, {"key": "7"}, {"recording": "words"}, {"recording": (BytesIO(), "")}]
)
def test_a_form_that_makes_no_sense_is_refused(
    adas: Browser, provider: Transcriber, form: dict[str, Any]
) -> None:
    assert speak(adas, **form).status_code == 422
    assert provider.asked == []


def test_without_a_login_or_a_token_nobody_listens(
    adas: Browser, browser: Browser, own_app: Flask, provider: Transcriber, db: Session
) -> None:
    assert speak(browser).location.startswith("/login")
    sent = {"recording": (BytesIO(ogg()), "recording"), "key": str(new_id())}
    assert adas.client.post("/voice", data=sent).status_code == 400
    assert provider.asked == []
    assert db.scalars(sa.select(ModelCall)).all() == []


@pytest.mark.usefixtures("provider")
def test_a_recording_is_no_larger_than_it_may_be(adas: Browser, settings: Settings) -> None:
    just_too_large = speak(adas, bytes(settings.voice_max_bytes + 1))
    assert "larger than 20 MB" in (just_too_large.json or {})["refusal"]
    assert speak(adas, bytes(settings.voice_max_bytes + 200_000)).status_code == 413


@pytest.mark.usefixtures("provider")
def test_recordings_count_as_uploads(adas: Browser, adjust: Callable[..., None]) -> None:
    adjust(UPLOAD_RATE_LIMIT="2000 per hour")
    assert speak(adas).status_code == 200
    assert speak(adas).status_code == 429


def test_the_button_is_there_where_somebody_listens(
    adas: Browser, ada: User, db: Session, adjust: Callable[..., None]
) -> None:
    assert 'data-voice="record"' in adas.read("/chat/new")
    adjust(VOICE_MAX_SECONDS="120")
    assert 'data-max-seconds="120"' in adas.read("/chat/new")
    ledger.freeze(ada, FreezeReason.DISPUTE)
    db.commit()
    assert 'data-voice="record"' not in adas.read("/chat/new")


def test_where_nobody_listens_there_is_none(adas: Browser, adjust: Callable[..., None]) -> None:
    adjust(ANTHROPIC_API_KEY="key")
    page = adas.read("/chat/new")
    assert 'data-voice="record"' not in page
    answer = speak(adas)
    assert answer.status_code == 422
    assert "cannot be turned into text on this site" in (answer.json or {})["refusal"]


@pytest.mark.usefixtures("provider")
def test_it_shows_as_a_voice_message_in_the_history_and_the_usage(adas: Browser) -> None:
    speak(adas)
    history = adas.read("/billing")
    assert "Voice message" in history
    assert "Answers and voice messages" in history
    assert "charge,-0.00025,openai/gpt-transcribe" in adas.read("/billing/history.csv")
    usage = adas.read("/usage")
    assert usage.count("Voice messages") == 2
    assert "gpt-transcribe" in usage


@pytest.mark.usefixtures("provider")
def test_its_price_is_listed(browser: Browser) -> None:
    assert "a minute of it into text costs about $0.0075 with gpt-transcribe" in browser.read(
        "/prices"
    )


def test_pages_may_use_the_microphone_and_nobody_elses_may(browser: Browser) -> None:
    policy = browser.get("/").headers["Permissions-Policy"]
    assert policy == "camera=(), geolocation=(), microphone=(self)"
