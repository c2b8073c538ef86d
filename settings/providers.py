"""The companies whose models answer and listen."""

from decimal import Decimal

from pydantic import BaseModel, Field, SecretStr
from pydantic_settings import BaseSettings


class PriceOverride(BaseModel, frozen=True):
    """What a provider asks for a model that genai-prices lacks, in dollars per million tokens."""

    input: Decimal = Field(gt=0)
    output: Decimal = Field(gt=0)
    cache_read: Decimal | None = Field(default=None, gt=0)
    cache_write: Decimal | None = Field(default=None, gt=0)
    # What is written to be kept for an hour; without it, Anthropic's twice the input.
    cache_write_hour: Decimal | None = Field(default=None, gt=0)


class AudioPriceOverride(BaseModel, frozen=True, extra="forbid"):
    """What a provider asks for a minute of a recording, in dollars."""

    minute: Decimal = Field(gt=0)


class ProviderSettings(BaseSettings):
    """The companies whose models answer and listen."""

    # Providers. A provider without a key is not offered; with none at all the demo model answers.
    anthropic_api_key: SecretStr | None = None
    anthropic_base_url: str | None = None
    anthropic_models: tuple[str, ...] = ("claude-sonnet-5-5", "claude-haiku-5-5", "claude-opus-5-5")
    openai_api_key: SecretStr | None = None
    openai_base_url: str | None = None
    openai_models: tuple[str, ...] = ("gpt-6.1-terra", "gpt-6-luna", "gpt-6.1-sol")
    gemini_api_key: SecretStr | None = None
    gemini_base_url: str | None = None
    gemini_models: tuple[str, ...] = ("gemini-3.8-flash", "gemini-4-argon")
    # Anything that speaks OpenAI chat completions: Ollama, vLLM, a router.
    compatible_api_key: SecretStr | None = None
    compatible_base_url: str | None = None
    compatible_models: tuple[str, ...] = ()
    demo_model_url: str | None = None
    default_model: str | None = None
    # A conversation that takes three quarters of this is summarized, whatever its model could read;
    # for dear models it is less.
    context_window_tokens: int = Field(default=64_000, ge=16_000)
    # By "provider/model", for models that genai-prices does not know.
    price_overrides: dict[str, PriceOverride | AudioPriceOverride] = Field(default_factory=dict)
    provider_connect_seconds: float = 10
    # A provider that sends nothing for this long has stalled.
    provider_stall_seconds: float = 60
    provider_max_retries: int = 2

    # Voice: recordings are transcribed by the provider whose model a user has chosen, or else by
    # the first of these that is there. With "off" a provider does not transcribe.
    openai_transcription_model: str = "gpt-transcribe"
    gemini_transcription_model: str = "gemini-3.5-flash-lite"
    # Anything that speaks OpenAI's audio transcriptions, such as a Whisper server of one's own. It
    # needs a price in PRICE_OVERRIDES: {"compatible/whisper-1": {"minute": "0.001"}}.
    transcription_base_url: str | None = None
    transcription_api_key: SecretStr | None = None
    transcription_model: str = "whisper-1"
    # A provider that takes longer in all is given up; no web server waits longer for an answer.
    transcription_timeout_seconds: float = Field(default=50, gt=0, le=300)
    voice_max_seconds: int = Field(default=600, ge=60, le=1_500)
    voice_max_bytes: int = Field(default=20 * 1024 * 1024, ge=64 * 1024, le=25 * 1024 * 1024)
