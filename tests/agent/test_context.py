"""How much of a conversation is sent: what people can pay for, and what OpenClaw is told of it."""

from decimal import Decimal

import pytest
from pydantic import SecretStr

from agent import catalogue, context
from agent.catalogue import Model
from agent.cells.boot.config import Wiring, openclaw_config
from agent.prices import Prices
from settings import Settings
from settings.providers import PriceOverride
from tests.agent.meter.world import settings

KEY = SecretStr("a-key")
LIMIT = 250_000
ALL = settings("anthropic", "http://nowhere", openai_api_key=KEY, gemini_api_key=KEY)


def bounded(given: Settings) -> dict[str, Model]:
    prices = Prices(given)
    models = catalogue.models(given)
    return {model.id: context.bounded(model, prices, LIMIT) for model in models}


def test_dear_models_are_sent_less_and_none_is_sent_all_that_it_could_read() -> None:
    windows = {name: model.context_window for name, model in bounded(ALL).items()}

    assert windows.pop("anthropic/claude-opus-5-5") == 40_000
    # Its price depends on the day.
    assert windows.pop("gemini/gemini-4-argon") <= 64_000
    assert set(windows.values()) == {64_000}


def test_a_conversation_that_no_cache_has_costs_no_more_than_a_message_may() -> None:
    prices = Prices(ALL)
    for model in bounded(ALL).values():
        longest = int(model.context_window * context.SUMMARIZED_AT)
        assert prices.worst_case(model, longest, 0) <= LIMIT


def test_the_dearest_model_keeps_room_for_a_conversation() -> None:
    given = settings(
        "compatible",
        "http://nowhere",
        price_overrides={
            "compatible/llama": PriceOverride(input=Decimal(500), output=Decimal(500))
        },
    )
    assert bounded(given)["compatible/llama"].context_window == context.LEAST_WINDOW


def test_a_model_without_a_price_is_left_as_it_is() -> None:
    given = settings("compatible", "http://nowhere", price_overrides={})
    assert bounded(given)["compatible/llama"].context_window == 64_000


@pytest.mark.parametrize(("window", "kept"), [(64_000, 6_500), (32_000, 6_400), (16_000, 3_200)])
def test_a_summary_leaves_a_part_that_fits_the_smallest_window(window: int, kept: int) -> None:
    given = ALL.model_copy(update={"context_window_tokens": window})
    assert context.kept_tokens(catalogue.models(given)) == kept


def test_files_leave_room_around_them() -> None:
    model = catalogue.models(ALL)[0]
    assert context.text_chars(model, ALL) == 38_400
    little = ALL.model_copy(update={"upload_text_max_chars": 100})
    assert context.text_chars(model, little) == 100


def test_openclaw_is_told_the_window_also_of_models_that_it_knows() -> None:
    models = tuple(bounded(ALL).values())
    config = openclaw_config(Wiring("a", "b", 1, 2, "/cell"), models, models[0])

    for provider, told in config["models"]["providers"].items():
        for model in told["models"]:
            window = next(
                one.context_window for one in models if one.id == f"{provider}/{model['id']}"
            )
            # Without the second it counts on a million tokens for some of them.
            assert (model["contextWindow"], model["contextTokens"]) == (window, window)
    compaction = config["agents"]["defaults"]["compaction"]
    assert compaction["keepRecentTokens"] == 6_500
    assert compaction["qualityGuard"] == {"enabled": False}
