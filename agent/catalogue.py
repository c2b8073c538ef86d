"""Which models there are: those of the providers that we have a key for."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from genai_prices.data_snapshot import get_snapshot

from settings import Settings

Provider = Literal["anthropic", "openai", "gemini", "compatible", "demo"]
Wire = Literal[
    "anthropic-messages", "openai-responses", "openai-completions", "google-generative-ai"
]

WIRES: dict[Provider, Wire] = {
    "anthropic": "anthropic-messages",
    "openai": "openai-responses",
    "gemini": "google-generative-ai",
    "compatible": "openai-completions",
    "demo": "openai-completions",
}
# genai-prices calls Gemini's provider by its company.
PRICE_PROVIDERS: dict[Provider, str] = {
    "anthropic": "anthropic",
    "openai": "openai",
    "gemini": "google",
}
# Of other servers nobody knows what theirs can do.
THINKING: set[Provider] = {"anthropic", "openai", "gemini", "demo"}
DEMO_MODEL = "demo"
# More than anyone reads in a chat; a larger cap would also hold more than a new account has.
MAX_OUTPUT_TOKENS = 8192
UNKNOWN_CONTEXT_WINDOW = 128_000


@dataclass(frozen=True)
class Model:
    """A model that people can choose."""

    provider: Provider
    name: str
    display_name: str
    context_window: int
    max_output_tokens: int
    accepts_images: bool
    # Whether it is asked to think before it answers.
    thinks: bool = False

    @property
    def id(self) -> str:
        """ "provider/name", as jobs, users and the books have it."""
        return f"{self.provider}/{self.name}"

    @property
    def wire(self) -> Wire:
        """The format that its provider speaks."""
        return WIRES[self.provider]


class NoModel(Exception):
    """No provider is set up: give a key in the settings, or DEMO_MODEL_URL."""


def models(settings: Settings) -> tuple[Model, ...]:
    """List the models on offer, in the order of the settings; the demo model is the last."""
    offered: list[Model] = []
    most = settings.context_window_tokens
    if settings.anthropic_api_key:
        offered += [_known("anthropic", name, most) for name in settings.anthropic_models]
    if settings.openai_api_key:
        offered += [_known("openai", name, most) for name in settings.openai_models]
    if settings.gemini_api_key:
        offered += [_known("gemini", name, most) for name in settings.gemini_models]
    if settings.compatible_base_url:
        offered += [_known("compatible", name, most) for name in settings.compatible_models]
    if settings.demo_model_url:
        offered.append(_demo(most))
    return tuple(offered)


def find(settings: Settings, model_id: str) -> Model | None:
    """Find a model on offer by its id."""
    return next((model for model in models(settings) if model.id == model_id), None)


def describe(settings: Settings, model_id: str) -> Model | None:
    """Describe a model by its id, whether it is on offer or not; None for an unknown provider."""
    provider, _, name = model_id.partition("/")
    if provider == "demo":
        return _demo(settings.context_window_tokens)
    known: Provider | None = next((one for one in WIRES if one == provider), None)
    return _known(known, name, settings.context_window_tokens) if known else None


def default(settings: Settings) -> Model:
    """Return the model for people who chose none. Raises NoModel when there is none at all."""
    return default_of(models(settings), settings)


def default_of(offered: Sequence[Model], settings: Settings) -> Model:
    """Return the default among models that were looked up already. Raises NoModel."""
    if not offered:
        raise NoModel
    wanted = settings.default_model
    return next((model for model in offered if model.id == wanted), offered[0])


def _known(provider: Provider, name: str, most_tokens: int) -> Model:
    known_as = PRICE_PROVIDERS.get(provider)
    source = get_snapshot().find_provider(None, known_as, None) if known_as else None
    info = source.find_model(name) if source else None
    window = (info.context_window if info else None) or UNKNOWN_CONTEXT_WINDOW
    return Model(
        provider=provider,
        name=name,
        display_name=(info.name if info else None) or name,
        context_window=min(window, most_tokens),
        max_output_tokens=MAX_OUTPUT_TOKENS,
        accepts_images=True,
        thinks=provider in THINKING,
    )


def _demo(most_tokens: int) -> Model:
    return Model(
        provider="demo",
        name=DEMO_MODEL,
        display_name="Demo model",
        context_window=min(UNKNOWN_CONTEXT_WINDOW, most_tokens),
        max_output_tokens=MAX_OUTPUT_TOKENS,
        accepts_images=True,
        thinks=True,
    )
