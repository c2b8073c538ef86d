"""The list of models to choose from."""

from decimal import Decimal

import pytest
from pydantic import SecretStr

from actions import offers
from agent import catalogue
from agent.catalogue import Model
from agent.prices import Prices
from models.base import new_id
from models.schema.users import User
from settings import Settings
from settings.providers import PriceOverride
from tests.webapp.browser import Browser


@pytest.fixture
def many(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """Settings with a provider whose prices are known and one with a model that has none."""
    changed = settings.model_copy(
        update={
            "anthropic_api_key": SecretStr("a key"),
            "compatible_base_url": "http://127.0.0.1:9/v1",
            "compatible_models": ("priced", "priceless"),
            "price_overrides": {
                "compatible/priced": PriceOverride(input=Decimal(10), output=Decimal(20))
            },
            "default_model": "compatible/priced",
        }
    )
    monkeypatch.setattr(offers, "get_settings", lambda: changed)
    offers._prices.cache_clear()  # pyright: ignore[reportPrivateUsage]
    return changed


def test_each_choice_says_how_far_a_dollar_goes(many: Settings, ada: User) -> None:
    by_id = {choice.id: choice for choice in offers.offered(ada)}
    # 14,000 tokens in at $10 and 400 out at $20 a million, with the margin on top.
    cost = (14_000 * 10 + 400 * 20) / (1 - many.margin_percent / 100) / 1_000_000
    assert by_id["compatible/priced"].price == f"About {int(1 / cost)} messages for $1."
    assert by_id["compatible/priced"].maker == "Own server"
    assert by_id[f"anthropic/{many.anthropic_models[0]}"].maker == "Anthropic"
    assert "demo/demo" in by_id


@pytest.mark.parametrize("path", ["/chat", "/settings", "/usage", "/prices", "/"])
def test_without_any_model_pages_are_there(
    adas: Browser, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    monkeypatch.setattr(offers, "_models", list[Model])
    assert adas.get(path).status_code < 400


def test_without_any_model_a_message_is_refused_in_words(
    adas: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(offers, "_models", list[Model])
    answer = adas.post("/chat", {"text": "Hello", "send-key": str(new_id())})
    assert answer.status_code == 422
    assert "No model is set up on this site," in answer.text


def test_what_has_no_price_is_not_offered(many: Settings, ada: User) -> None:
    assert many
    assert "priceless" not in offers.names()
    with pytest.raises(offers.NotOffered):
        offers.find("compatible/priceless")


def test_a_choice_holds_while_it_is_offered(many: Settings, ada: User) -> None:
    assert offers.current(ada).id == "compatible/priced"
    ada.model = f"anthropic/{many.anthropic_models[1]}"
    assert [c.id for c in offers.offered(ada) if c.is_chosen] == [ada.model]
    assert [c.id for c in offers.offered(ada) if c.is_default] == [many.default_model]
    ada.model = "anthropic/retired"
    assert offers.current(ada).id == "compatible/priced"


def test_nine_models_are_looked_up_once_each(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, ada: User
) -> None:
    """Each conversation's page has the list."""
    names = tuple(f"model-{number}" for number in range(9))
    price = PriceOverride(input=Decimal(10), output=Decimal(20))
    changed = settings.model_copy(
        update={
            "compatible_base_url": "http://127.0.0.1:9/v1",
            "compatible_models": names,
            "price_overrides": {f"compatible/{name}": price for name in names},
            "demo_model_url": None,
            "default_model": "compatible/model-8",
        }
    )
    monkeypatch.setattr(offers, "get_settings", lambda: changed)
    offers._prices.cache_clear()  # pyright: ignore[reportPrivateUsage]
    looked_up, priced = (
        _counted(monkeypatch, catalogue, "_known"),
        _counted(monkeypatch, Prices, "price"),
    )

    choices = offers.offered(ada)

    assert [choice.is_default for choice in choices] == 8 * [False] + [True]
    assert (len(looked_up), len(priced)) == (9, 9)


def _counted(monkeypatch: pytest.MonkeyPatch, home: object, name: str) -> list[object]:
    """Note each call of a function, which does what it did."""
    calls: list[object] = []
    real = getattr(home, name)

    def _call(*given: object, **named: object) -> object:
        calls.append(given)
        return real(*given, **named)

    monkeypatch.setattr(home, name, _call)
    return calls


def test_without_any_model_the_settings_say_so(
    adas: Browser, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    bare = settings.model_copy(update={"demo_model_url": None})
    monkeypatch.setattr(offers, "get_settings", lambda: bare)
    assert "No model is set up" in adas.read("/settings")
    assert "Which model answers?" in adas.read("/")
