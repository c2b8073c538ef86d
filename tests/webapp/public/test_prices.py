"""Prices that anybody can read."""

from collections.abc import Callable

import pytest

from actions import offers
from agent import catalogue
from agent.meter.call_ledger import Usage
from agent.prices import Prices
from models.money import money
from settings import Settings
from tests.webapp.browser import Browser


def test_strangers_read_what_each_model_costs(browser: Browser, settings: Settings) -> None:
    page = browser.read("/prices")
    model = catalogue.default(settings)
    million = Prices(settings).price(model, Usage(output_tokens=1_000_000))
    assert model.display_name in page
    assert money(million.charge_micros) in page
    assert "messages for $1" in page
    assert "13,000" in page


def test_a_search_has_its_price_where_somebody_searches(
    browser: Browser, adjust: Callable[..., None]
) -> None:
    assert "A search of the web" not in browser.read("/prices")
    adjust(BRAVE_SEARCH_API_KEY="a-key")
    assert "A search of the web costs $0.0083;" in browser.read("/prices")


def test_the_landing_page_and_the_choice_of_a_model_lead_there(
    browser: Browser, adas: Browser
) -> None:
    assert 'href="/prices"' in browser.read("/")
    assert 'href="/prices"' in adas.read("/settings")


def test_prices_are_those_of_the_meter(settings: Settings) -> None:
    [listed] = [one for one in offers.listed() if one.maker == "Built in"]
    model = catalogue.find(settings, "demo/demo")
    assert model
    usual = Prices(settings).price(model, offers.USUAL_MESSAGE)
    assert listed.message_micros == usual.charge_micros
    assert listed.cache_read_micros < listed.read_micros < listed.written_micros


@pytest.mark.parametrize(
    ("micros", "words"),
    [
        (8_130, "About 120 messages for $1."),
        (123, "About 8,100 messages for $1."),
        (90_000, "About 11 messages for $1."),
        (400_000, "About 2 messages for $1."),
        (700_000, "About $0.70 for a message."),
    ],
)
def test_a_price_is_said_in_round_numbers(micros: int, words: str) -> None:
    assert offers._in_words(micros) == words  # pyright: ignore[reportPrivateUsage]
