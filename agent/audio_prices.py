"""What listening to a recording costs us, and what it costs the user.

Some providers ask for the minutes and some for tokens; genai-prices knows both. PRICE_OVERRIDES
names a price for each minute of what it lacks, or for tokens.
"""

import math
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal

from genai_prices import Usage as PricedUsage
from genai_prices import calc_price

from agent.catalogue import PRICE_PROVIDERS
from agent.meter.call_ledger import Usage
from agent.prices import Price, Prices, PriceUnknown, by_override
from agent.transcribers import Transcriber
from gateways.transcription import PROMPT_TOKENS, AudioUsage, most_output_tokens
from settings import Settings
from settings.providers import AudioPriceOverride

# As OpenAI asks for its own, so that money works in the demo as it does elsewhere.
DEMO_PRICE = AudioPriceOverride(minute=Decimal("0.0045"))
# Gemini counts so many; others count fewer.
TOKENS_PER_SECOND = 32
# A hundred and fifty words, of which each is a token and a half.
USUAL_MINUTE = AudioUsage(
    seconds=60,
    audio_tokens=60 * TOKENS_PER_SECOND,
    text_tokens=PROMPT_TOKENS // 2,
    output_tokens=225,
)


class AudioPrices:
    """The prices of one set of settings."""

    def __init__(self, settings: Settings, margin: Callable[[], int] | None = None) -> None:
        self._overrides = dict(settings.price_overrides)
        self._prices = Prices(settings, margin)

    def price(self, transcriber: Transcriber, usage: AudioUsage) -> Price:
        """Price a whole call. Raises PriceUnknown, also when the usage lacks what is priced."""
        cost = self._cost(transcriber, usage)
        if cost <= 0:
            raise PriceUnknown(transcriber.id)
        return self._prices.priced(cost)

    def worst_case(self, transcriber: Transcriber, seconds: float) -> int:
        """Return the most that so long a recording can cost the user. Raises PriceUnknown."""
        return self.price(transcriber, most_usage(seconds)).charge_micros

    def _cost(self, transcriber: Transcriber, usage: AudioUsage) -> Decimal:
        override = self._overrides.get(transcriber.id)
        if override is None and transcriber.provider == "demo":
            override = DEMO_PRICE
        if override is None:
            return _by_table(transcriber, usage)
        if isinstance(override, AudioPriceOverride):
            return override.minute * Decimal(usage.seconds or 0) / 60
        return by_override(override, Usage(usage.input_tokens, usage.output_tokens))


def most_usage(seconds: float) -> AudioUsage:
    """Return the most that listening for so long can use."""
    return AudioUsage(
        seconds=seconds,
        audio_tokens=math.ceil(seconds * TOKENS_PER_SECOND),
        text_tokens=PROMPT_TOKENS,
        output_tokens=most_output_tokens(seconds),
    )


def completed(told: AudioUsage, seconds: float) -> AudioUsage:
    """Add to what a provider told of its usage how long the recording was, if it did not say."""
    return told if told.seconds else replace(told, seconds=seconds)


def _by_table(transcriber: Transcriber, usage: AudioUsage) -> Decimal:
    provider = PRICE_PROVIDERS.get(transcriber.provider)
    if provider is None:
        raise PriceUnknown(transcriber.id)
    seconds = usage.seconds or 0
    priced = PricedUsage(
        audio_seconds=seconds,
        input_audio_seconds=seconds,
        input_tokens=usage.input_tokens,
        input_audio_tokens=usage.audio_tokens,
        output_tokens=usage.output_tokens,
    )
    try:
        return Decimal(calc_price(priced, transcriber.name, provider_id=provider).total_price)
    except LookupError as unknown:
        raise PriceUnknown(transcriber.id) from unknown
