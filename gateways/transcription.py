"""Speech to text: a recording goes to a provider, and what was said comes back as words.

OpenAI's API and servers that speak it are in `openai_transcription`, Gemini's is in
`gemini_transcription`. Nothing here knows who asks, or what it costs.
"""

import importlib
import math
import re
from dataclasses import dataclass
from typing import Literal, Protocol, cast

from gateways.values import UNKEEPABLE
from settings import Settings

Transcribing = Literal["openai", "gemini", "compatible", "demo"]
# Each imports an SDK, which takes a second: only what is used is imported.
MODULES: dict[Transcribing, str] = {
    "openai": "gateways.openai_transcription",
    "gemini": "gateways.gemini_transcription",
    "compatible": "gateways.openai_transcription",
    "demo": "gateways.openai_transcription",
}
# Gemini takes 20 MB in a request, in which a recording is a third larger than it was.
MOST_BYTES: dict[Transcribing, int] = {"gemini": 14 * 1024 * 1024}
# The longest instruction that goes with a recording.
PROMPT_TOKENS = 300
# Of what is said fast, in scripts that take many tokens; and what a model may think before.
TOKENS_PER_SECOND = 24
FIRST_TOKENS = 2_048
# An answer that is larger than this is none: the longest text is some 20,000 letters.
ANSWER_BYTES = 1024 * 1024
LANGUAGE = re.compile(r"([A-Za-z]{2})(?:[-_][A-Za-z0-9_-]{1,20})?")
CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
# What another try may mend: our key or account is refused, or too much is asked of the provider.
PASSING_REFUSALS = {401, 402, 403, 408, 409, 425, 429}


class TranscriptionFailed(Exception):
    """A provider made nothing of a recording.

    `is_permanent` says that it refuses this recording, and will again; `status` is that of HTTP, 0
    without an answer.
    """

    def __init__(self, message: str, status: int = 0) -> None:
        super().__init__(message)
        self.status = status
        self.is_permanent = 400 <= status < 500 and status not in PASSING_REFUSALS


@dataclass(frozen=True)
class Recording:
    """Something that was said: its bytes, and what is known of them by our own look."""

    data: bytes
    # One of `untrusted.recordings.SUFFIXES`.
    media_type: str
    # How its file would end, with a dot: providers go by that.
    suffix: str
    seconds: float


@dataclass(frozen=True)
class AudioUsage:
    """What a provider says it used: seconds, tokens, or both."""

    seconds: float | None = None
    audio_tokens: int = 0
    text_tokens: int = 0
    output_tokens: int = 0

    @property
    def input_tokens(self) -> int:
        return self.audio_tokens + self.text_tokens


@dataclass(frozen=True)
class Transcript:
    """What a provider heard; empty if nobody said anything, or if its answer was of no use."""

    text: str
    usage: AudioUsage
    request_id: str | None


class _Provider(Protocol):
    def transcribe(
        self,
        settings: Settings,
        provider: Transcribing,
        model: str,
        recording: Recording,
        language: str | None,
    ) -> Transcript: ...


def transcribe(
    settings: Settings,
    provider: Transcribing,
    model: str,
    recording: Recording,
    *,
    language: str = "",
    most_chars: int,
) -> Transcript:
    """Have a recording written down, in at most `most_chars` characters.

    `language`, an IETF tag, is what the speaker probably speaks. It blocks for up to
    `transcription_timeout_seconds`. Raises TranscriptionFailed.
    """
    module = cast(_Provider, importlib.import_module(MODULES[provider]))
    found = LANGUAGE.fullmatch(language)
    hint = found[1].lower() if found else None
    heard = module.transcribe(settings, provider, model, recording, hint)
    return Transcript(_clean(heard.text, most_chars), heard.usage, heard.request_id)


def load(provider: Transcribing) -> None:
    """Import what a provider needs, so that nobody waits for it."""
    importlib.import_module(MODULES[provider])


def most_output_tokens(seconds: float) -> int:
    """Return how many tokens the words of a recording may take."""
    return FIRST_TOKENS + math.ceil(seconds * TOKENS_PER_SECOND)


def _clean(text: str, most_chars: int) -> str:
    """Return foreign words without what cannot be kept or shown, and no longer than they may be."""
    plain = CONTROLS.sub(" ", UNKEEPABLE.sub("", text.replace("\r\n", "\n"))).strip()
    return plain[:most_chars].rstrip()
