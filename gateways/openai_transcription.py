"""OpenAI's audio transcriptions, and servers that speak them: Whisper's, and the demo model."""

from contextlib import suppress
from typing import Any

import httpx2
from openai import APIConnectionError, APIStatusError, Omit, OpenAI, OpenAIError, omit

# The SDK itself would import it when it is first used, while somebody waits.
from openai.resources.audio import Transcriptions
from pydantic import BaseModel, Field, ValidationError

from gateways import bounded_http
from gateways.transcription import (
    ANSWER_BYTES,
    AudioUsage,
    Recording,
    Transcribing,
    Transcript,
    TranscriptionFailed,
)
from settings import Settings

MOST_TOKENS = 10_000_000
# The SDK wants a key even where the server wants none.
ANY_KEY = "none"
RETRIES = 1
# It takes the languages that may be spoken as a hint; to all others a language is an order.
HINTED = "gpt-transcribe"


class _Details(BaseModel):
    audio_tokens: int = Field(default=0, ge=0, le=MOST_TOKENS)
    text_tokens: int = Field(default=0, ge=0, le=MOST_TOKENS)


class _Usage(BaseModel):
    seconds: float | None = Field(default=None, ge=0, le=86_400, allow_inf_nan=False)
    input_tokens: int = Field(default=0, ge=0, le=MOST_TOKENS)
    output_tokens: int = Field(default=0, ge=0, le=MOST_TOKENS)
    input_token_details: _Details | None = None


class _Answer(BaseModel):
    text: str
    usage: Any = None


def transcribe(
    settings: Settings,
    provider: Transcribing,
    model: str,
    recording: Recording,
    language: str | None,
) -> Transcript:
    """Ask once, and once more if that may help. Raises TranscriptionFailed."""
    seconds = settings.transcription_timeout_seconds
    with bounded_http.client(seconds=seconds, most_bytes=ANSWER_BYTES) as http:
        try:
            answer = _transcriptions(settings, provider, http).with_raw_response.create(
                file=(f"recording{recording.suffix}", recording.data, recording.media_type),
                model=model,
                response_format="json",
                languages=_hints(model, language),
            )
            body, request_id = answer.http_response.content, answer.request_id
        except APIStatusError as error:
            raise TranscriptionFailed(error.message, error.status_code) from error
        except APIConnectionError as error:
            raise TranscriptionFailed(repr(error.__cause__ or error)) from error
        except (OpenAIError, httpx2.HTTPError) as error:
            raise TranscriptionFailed(repr(error)) from error
    return _read(body, request_id)


def _transcriptions(
    settings: Settings, provider: Transcribing, http: httpx2.Client
) -> Transcriptions:
    key, base_url = None, None
    if provider == "openai":
        key, base_url = settings.openai_api_key, settings.openai_base_url
    elif provider == "compatible":
        key, base_url = settings.transcription_api_key, settings.transcription_base_url
    elif settings.demo_model_url:
        base_url = f"{settings.demo_model_url.rstrip('/')}/v1"
    client = OpenAI(
        api_key=key.get_secret_value() if key else ANY_KEY,
        base_url=base_url,
        max_retries=RETRIES,
        http_client=http,
    )
    return client.audio.transcriptions


def _hints(model: str, language: str | None) -> list[str] | Omit:
    return [language] if language and model.startswith(HINTED) else omit


def _read(body: bytes, request_id: str | None) -> Transcript:
    try:
        answer = _Answer.model_validate_json(body)
    except ValidationError as error:
        raise TranscriptionFailed("what came back is no transcription") from error
    usage = _Usage()
    # Some servers count nothing, or otherwise.
    with suppress(ValidationError):
        usage = _Usage.model_validate(answer.usage or {})
    return Transcript(answer.text, _told(usage), request_id)


def _told(usage: _Usage) -> AudioUsage:
    details = usage.input_token_details or _Details(audio_tokens=usage.input_tokens)
    return AudioUsage(
        seconds=usage.seconds,
        audio_tokens=details.audio_tokens,
        text_tokens=details.text_tokens,
        output_tokens=usage.output_tokens,
    )
