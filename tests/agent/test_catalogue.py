"""Which models are offered, and which is taken when nobody chose."""

from typing import Any

import pytest
from pydantic import SecretStr

from agent import catalogue
from agent.catalogue import NoModel
from agent.meter.call_ledger import Usage
from agent.prices import Prices
from settings import Settings
from tests.agent.meter.world import settings

KEY = SecretStr("key")
URL = "http://127.0.0.1:1"
ALL: dict[str, Any] = {
    "anthropic_api_key": KEY,
    "openai_api_key": KEY,
    "gemini_api_key": KEY,
    "compatible_base_url": URL,
    "compatible_models": ("llama", "qwen"),
}


def nothing() -> Settings:
    return settings("demo", URL, demo_model_url=None)


def test_only_providers_with_a_key_are_offered() -> None:
    offered = catalogue.models(settings("openai", URL))
    assert {model.provider for model in offered} == {"openai"}


def test_the_demo_model_is_the_last_and_alone_without_keys() -> None:
    assert [model.id for model in catalogue.models(settings("demo", URL))] == ["demo/demo"]
    assert [model.id for model in catalogue.models(settings("demo", URL, **ALL))][-3:] == [
        "compatible/llama",
        "compatible/qwen",
        "demo/demo",
    ]


def test_an_empty_key_is_no_key() -> None:
    without = settings("demo", URL, anthropic_api_key=SecretStr(""))
    assert [model.id for model in catalogue.models(without)] == ["demo/demo"]


def test_every_model_of_the_default_settings_is_known_with_name_window_and_price() -> None:
    given = settings("anthropic", URL, openai_api_key=KEY, gemini_api_key=KEY)
    prices = Prices(given)
    offered = catalogue.models(given)
    assert {model.provider for model in offered} == {"anthropic", "openai", "gemini"}
    for model in offered:
        assert model.display_name != model.name
        assert model.context_window == 64_000
        assert 0 < model.max_output_tokens <= model.context_window
        assert prices.price(model, Usage(1_000, 1_000, 0, 0)).charge_micros > 0


def test_a_model_is_found_by_its_id() -> None:
    given = settings("anthropic", URL)
    found = catalogue.find(given, "anthropic/claude-sonnet-5-5")
    assert found
    assert (found.provider, found.name) == ("anthropic", "claude-sonnet-5-5")
    assert found.wire == "anthropic-messages"
    assert catalogue.find(given, "openai/gpt-6-luna") is None
    assert catalogue.find(given, "anthropic/nothing") is None


def test_the_default_is_the_settings_or_the_first() -> None:
    assert catalogue.default(settings("gemini", URL)).id == "gemini/gemini-3.8-flash"
    chosen = settings("demo", URL, default_model="openai/gpt-6-luna", **ALL)
    assert catalogue.default(chosen).id == "openai/gpt-6-luna"


def test_a_default_that_is_not_offered_gives_way_to_the_first() -> None:
    gone = settings("gemini", URL, default_model="openai/gpt-6-luna")
    assert catalogue.default(gone).id == "gemini/gemini-3.8-flash"


def test_without_any_model_there_is_no_default() -> None:
    assert catalogue.models(nothing()) == ()
    with pytest.raises(NoModel):
        catalogue.default(nothing())
