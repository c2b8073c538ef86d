"""What a call costs us and the person, to the micro-dollar."""

from decimal import Decimal
from functools import partial
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.catalogue import Model, Provider
from agent.meter.call_ledger import Usage
from agent.prices import Prices, PriceUnknown, most_payable
from settings.providers import PriceOverride
from tests.agent.meter.world import settings

PRICES = Prices(settings("demo", "http://nowhere", margin_percent=40))


def model(provider: Provider, name: str) -> Model:
    return Model(provider, name, name, 200_000, 8_192, accepts_images=True)


SONNET = model("anthropic", "claude-sonnet-5-5")
# Dearer when much is sent: five times from 100,000 tokens on.
HAIKU = model("anthropic", "claude-haiku-5-5")
GEMINI = model("gemini", "gemini-3.8-flash")
TERRA = model("openai", "gpt-6.1-terra")
LLAMA = model("compatible", "llama")
DEMO = model("demo", "demo")


@pytest.mark.parametrize(
    ("priced", "usage", "cost"),
    [
        # 2 and 10 dollars per million, reading 0.1 and writing 2.5.
        (SONNET, Usage(1_000, 100, 0, 0), 2_000 + 1_000),
        (SONNET, Usage(0, 0, 10_000, 1_000), 1_000 + 2_500),
        (SONNET, Usage(1, 0, 0, 0), 2),
        # What is kept for an hour costs twice the input; it is among what is written.
        (SONNET, Usage(0, 0, 0, 1_000, 600), 1_000 + 2_400),
        # 1 and 5 dollars, reading 0.05 and writing 1.25.
        (TERRA, Usage(1_000, 100, 10_000, 1_000), 1_000 + 500 + 500 + 1_250),
        # It is all of the input that decides on the tier, cached or not.
        (HAIKU, Usage(50_000, 0, 0, 0), 5_000),
        (HAIKU, Usage(50_000, 0, 150_000, 0), 25_000 + 7_500),
        (GEMINI, Usage(0, 0, 100_000, 0), 7_500),
    ],
)
def test_our_cost_is_what_the_provider_asks(priced: Model, usage: Usage, cost: int) -> None:
    assert PRICES.price(priced, usage).provider_cost_micros == cost


@pytest.mark.parametrize(("margin", "charge"), [(30, 4_286), (40, 5_000), (50, 6_000)])
def test_the_margin_is_a_share_of_what_the_person_pays(margin: int, charge: int) -> None:
    prices = Prices(settings("demo", "http://nowhere", margin_percent=margin))
    price = prices.price(SONNET, Usage(1_000, 100, 0, 0))
    assert (price.provider_cost_micros, price.charge_micros) == (3_000, charge)


def test_parts_of_a_micro_dollar_are_rounded_up() -> None:
    price = PRICES.price(HAIKU, Usage(1, 0, 0, 0))
    assert (price.provider_cost_micros, price.charge_micros) == (1, 1)


@pytest.mark.parametrize(
    "unknown",
    [
        model("anthropic", "claude-unheard-of"),
        model("openai", "not-a-model"),
        model("gemini", "not-a-model"),
        model("compatible", "mistral"),
    ],
)
def test_a_model_without_a_price_is_refused(unknown: Model) -> None:
    with pytest.raises(PriceUnknown):
        PRICES.price(unknown, Usage(1, 1, 0, 0))
    with pytest.raises(PriceUnknown):
        PRICES.worst_case(unknown, 1, 1)


def test_a_price_can_be_given_for_what_the_table_lacks() -> None:
    override = PriceOverride(input=Decimal("0.5"), output=Decimal(2), cache_read=Decimal("0.1"))
    given_prices = {"compatible/llama": override}
    prices = Prices(settings("demo", "http://nowhere", price_overrides=given_prices))
    price = prices.price(LLAMA, Usage(1_000, 100, 1_000, 1_000))
    # Writing to a cache costs what input costs, when nothing is said about it.
    assert price.provider_cost_micros == 500 + 200 + 100 + 500
    assert price.version != PRICES.price(DEMO, Usage(1, 1, 0, 0)).version


@pytest.mark.parametrize("price", ["0", "-1"])
def test_nothing_is_given_away_by_a_price(price: str) -> None:
    given_prices: dict[str, Any] = {"compatible/llama": {"input": price, "output": "1"}}
    with pytest.raises(ValueError, match="greater than 0"):
        settings("demo", "http://nowhere", price_overrides=given_prices)


def test_what_a_table_prices_at_nothing_is_not_served() -> None:
    # As a table of others may do; settings cannot.
    free = PriceOverride.model_construct(
        input=Decimal(0), output=Decimal(0), cache_read=None, cache_write=None
    )
    prices = Prices(settings("demo", "http://nowhere", price_overrides={"compatible/llama": free}))
    with pytest.raises(PriceUnknown):
        prices.price(LLAMA, Usage(1_000, 100, 0, 0))


def test_the_version_names_the_table_the_overrides_and_the_margin() -> None:
    version = PRICES.price(SONNET, Usage(1, 1, 0, 0)).version
    assert version.startswith("genai-prices-")
    assert version.endswith("m40")


def test_the_demo_model_costs_something_too() -> None:
    assert PRICES.price(DEMO, Usage(10_000, 100, 0, 0)).charge_micros > 0


def test_nothing_used_costs_nothing() -> None:
    assert PRICES.price(SONNET, Usage()).charge_micros == 0


tokens = st.integers(0, 400_000)


@given(tokens, tokens, tokens, st.integers(0, 8_192), st.sampled_from([SONNET, HAIKU, TERRA, DEMO]))
def test_no_call_costs_more_than_its_worst_case(
    fresh: int, read: int, written: int, output: int, priced: Model
) -> None:
    total = fresh + read + written
    worst = PRICES.worst_case(priced, total, output)
    assert PRICES.price(priced, Usage(fresh, output, read, written)).charge_micros <= worst
    hourly = Usage(fresh, output, read, written, written if PRICES.has_hour(priced) else 0)
    most = PRICES.worst_case(priced, total, output, is_for_hour=PRICES.has_hour(priced))
    assert PRICES.price(priced, hourly).charge_micros <= most


def test_only_what_has_a_price_is_kept_for_an_hour() -> None:
    assert [one for one in (SONNET, HAIKU, GEMINI, TERRA, LLAMA, DEMO) if PRICES.has_hour(one)] == [
        SONNET,
        HAIKU,
    ]
    assert not PRICES.has_hour(model("anthropic", "claude-unheard-of"))
    # Its table has no price for that.
    assert not PRICES.has_hour(model("anthropic", "claude-2"))
    given = {"anthropic/claude-own": {"input": 3, "output": 15, "cache_write": "3.75"}}
    prices = Prices(settings("demo", "http://nowhere", price_overrides=given))
    own = model("anthropic", "claude-own")
    assert prices.has_hour(own)
    assert prices.price(own, Usage(0, 0, 0, 1_000, 1_000)).provider_cost_micros == 6_000


@given(tokens, st.integers(1, 8_192), st.integers(0, 2_000_000), st.sampled_from([SONNET, GEMINI]))
def test_the_affordable_output_is_the_most_that_can_be_paid(
    size: int, wanted: int, micros: int, priced: Model
) -> None:
    found = most_payable(partial(PRICES.worst_case, priced, size), wanted, micros)
    assert 0 <= found <= wanted
    if found:
        assert PRICES.worst_case(priced, size, found) <= micros
    if found < wanted:
        assert PRICES.worst_case(priced, size, found + 1) > micros
