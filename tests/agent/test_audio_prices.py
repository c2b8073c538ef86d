"""What listening costs: by the minute or by the token, with our margin, and never nothing."""

from decimal import Decimal
from typing import Any

import pytest
from pydantic import SecretStr

from agent import audio_prices, transcribers
from agent.audio_prices import AudioPrices
from agent.catalogue import Model
from agent.meter.call_ledger import Usage
from agent.prices import Prices, PriceUnknown
from agent.transcribers import Transcriber
from gateways.transcription import AudioUsage
from settings import Settings

OPENAI = Transcriber("openai", "gpt-transcribe")
GEMINI = Transcriber("gemini", "gemini-3.5-flash-lite")
OWN = Transcriber("compatible", "whisper-1")
DEMO = Transcriber("demo", transcribers.DEMO_MODEL)


def settings(**given: Any) -> Settings:
    whole = {
        "secret_key": SecretStr("a-secret-key-that-only-tests-know"),
        "database_url": SecretStr("postgresql://nowhere"),
        "redis_url": SecretStr("redis://nowhere"),
        "demo_model_url": None,
        "margin_percent": 40,
        **given,
    }
    return Settings(_env_file=None, **whole)  # pyright: ignore[reportCallIssue]


def test_openai_is_priced_by_the_minute() -> None:
    price = AudioPrices(settings()).price(OPENAI, AudioUsage(seconds=60))
    # https://developers.openai.com/api/docs/models/gpt-transcribe, November 2026: $0.0045.
    assert (price.provider_cost_micros, price.charge_micros) == (4_500, 7_500)
    assert price.version.endswith("+0+m40")


def test_gemini_is_priced_by_the_token() -> None:
    usage = AudioUsage(seconds=60, audio_tokens=1_920, text_tokens=80, output_tokens=200)
    price = AudioPrices(settings()).price(GEMINI, usage)
    # https://ai.google.dev/gemini-api/docs/pricing, November 2026: $0.30 and $2.50 a million.
    assert price.provider_cost_micros == 2_000 * 0.3 + 200 * 2.5
    assert price.charge_micros == 1_834


def test_an_override_names_a_minute_or_tokens() -> None:
    minute = AudioPrices(settings(price_overrides={OWN.id: {"minute": "0.001"}}))
    assert minute.price(OWN, AudioUsage(seconds=90)).provider_cost_micros == 1_500
    assert "+0+" not in minute.price(OWN, AudioUsage(seconds=90)).version
    tokens = AudioPrices(settings(price_overrides={GEMINI.id: {"input": 1, "output": 2}}))
    usage = AudioUsage(audio_tokens=10, text_tokens=10, output_tokens=10)
    assert tokens.price(GEMINI, usage).provider_cost_micros == 40


def test_the_demo_costs_as_the_real_ones_do() -> None:
    prices = AudioPrices(settings())
    usage = AudioUsage(seconds=60)
    assert prices.price(DEMO, usage) == prices.price(OPENAI, usage)


@pytest.mark.parametrize(
    ("transcriber", "usage"),
    [
        (OWN, AudioUsage(seconds=60)),
        (Transcriber("openai", "nobody-knows"), AudioUsage(seconds=60)),
        (OPENAI, AudioUsage(audio_tokens=100, output_tokens=100)),
        (OPENAI, AudioUsage(seconds=0)),
        (GEMINI, AudioUsage(seconds=60)),
    ],
)
def test_what_has_no_price_is_not_free(transcriber: Transcriber, usage: AudioUsage) -> None:
    with pytest.raises(PriceUnknown):
        AudioPrices(settings()).price(transcriber, usage)


@pytest.mark.parametrize("transcriber", [OPENAI, GEMINI, DEMO])
def test_the_worst_case_covers_what_is_usual(transcriber: Transcriber) -> None:
    prices = AudioPrices(settings())
    usual = prices.price(transcriber, audio_prices.USUAL_MINUTE).charge_micros
    assert usual <= prices.worst_case(transcriber, 60) < 20 * usual


def test_a_provider_that_does_not_say_how_long_it_was_is_told() -> None:
    assert audio_prices.completed(AudioUsage(), 7.5) == AudioUsage(seconds=7.5)
    assert audio_prices.completed(AudioUsage(seconds=8), 7.5) == AudioUsage(seconds=8)


KEY = SecretStr("key")
ALL: dict[str, Any] = {
    "openai_api_key": KEY,
    "gemini_api_key": KEY,
    "transcription_base_url": "http://127.0.0.1:9",
    "demo_model_url": "http://127.0.0.1:8",
}


@pytest.mark.parametrize(
    ("given", "provider", "wanted"),
    [
        ({}, "anthropic", []),
        (ALL, "anthropic", ["openai", "gemini", "compatible"]),
        (ALL, "openai", ["openai", "gemini", "compatible"]),
        (ALL, "gemini", ["gemini", "openai", "compatible"]),
        (ALL, "compatible", ["compatible", "openai", "gemini"]),
        (ALL, "demo", ["demo", "openai", "gemini", "compatible"]),
        ({"demo_model_url": "http://127.0.0.1:8"}, "anthropic", []),
        ({"gemini_api_key": KEY}, "anthropic", ["gemini"]),
        ({**ALL, "openai_transcription_model": "off"}, "openai", ["gemini", "compatible"]),
    ],
)
def test_ones_own_provider_listens_first(
    given: dict[str, Any], provider: str, wanted: list[str]
) -> None:
    assert [one.provider for one in transcribers.choices(settings(**given), provider)] == wanted


def test_a_price_by_the_minute_is_no_price_of_answers() -> None:
    given = settings(price_overrides={"compatible/llama": {"minute": "0.001"}})
    assert given.price_overrides["compatible/llama"].model_dump() == {"minute": Decimal("0.001")}
    model = Model("compatible", "llama", "Llama", 1_000, 100, accepts_images=False)
    with pytest.raises(PriceUnknown):
        Prices(given).price(model, Usage(10, 10))
