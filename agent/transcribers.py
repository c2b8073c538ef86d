"""Which model writes down what a user said: one of their own provider, or the first there is."""

from dataclasses import dataclass

from gateways.transcription import Transcribing
from settings import Settings

DEMO_MODEL = "demo-transcribe"


@dataclass(frozen=True)
class Transcriber:
    """A model that makes text of a recording."""

    provider: Transcribing
    name: str

    @property
    def id(self) -> str:
        """ "provider/name", as the books have it."""
        return f"{self.provider}/{self.name}"


# The setting of a provider that is not to transcribe.
OFF = "off"


def transcribers(settings: Settings) -> tuple[Transcriber, ...]:
    """List those that are set up, the ones that others turn to first."""
    found: list[Transcriber] = []
    if settings.openai_api_key and settings.openai_transcription_model != OFF:
        found.append(Transcriber("openai", settings.openai_transcription_model))
    if settings.gemini_api_key and settings.gemini_transcription_model != OFF:
        found.append(Transcriber("gemini", settings.gemini_transcription_model))
    if settings.transcription_base_url:
        found.append(Transcriber("compatible", settings.transcription_model))
    if settings.demo_model_url:
        found.append(Transcriber("demo", DEMO_MODEL))
    return tuple(found)


def choices(settings: Settings, provider: str) -> list[Transcriber]:
    """List those for whoever is answered by a model of `provider`, the best first.

    The demo's hears nothing that was said, so it listens for none but its own.
    """
    found = transcribers(settings)
    own = [one for one in found if one.provider == provider]
    return own + [one for one in found if one.provider not in {provider, "demo"}]
