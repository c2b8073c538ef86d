"""Which models a person may choose from, with their price in plain words."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from agent import catalogue
from agent.catalogue import Model, Provider
from agent.meter.books import Usage
from agent.prices import Prices, PriceUnknown
from models.errors import Refused
from models.users import User
from settings import get_settings
from webapp.formats import money

MAKERS: dict[Provider, str] = {
    "anthropic": "Anthropic",
    "openai": "OpenAI",
    "gemini": "Google",
    "compatible": "Own server",
    "demo": "Built in",
}
# An answer in a conversation that is under way: OpenClaw's own 13,000 tokens of instructions come
# from the provider's cache.
USUAL_ANSWER = Usage(input_tokens=1_000, output_tokens=400, cache_read_tokens=13_000)


class NotOffered(Refused):
    """This model is not offered (any more). Please choose one from the list."""


@dataclass(frozen=True)
class Choice:
    """One line of the list."""

    id: str
    display_name: str
    maker: str
    price: str
    accepts_images: bool
    is_chosen: bool
    is_default: bool


def names() -> list[str]:
    """List the models on offer by the names people know."""
    return [model.display_name for model, _ in _priced()]


def find(model_id: str) -> Model:
    """Find an offered model, or raise NotOffered."""
    for model, _ in _priced():
        if model.id == model_id:
            return model
    raise NotOffered


def display_name(model_id: str) -> str:
    """Name a model as people know it, or by its id when it is not offered any more."""
    model = catalogue.find(get_settings(), model_id)
    return model.display_name if model else model_id.partition("/")[2]


def current(user: User) -> Model:
    """Return the model that answers this person: theirs while it is offered, else the default."""
    chosen = catalogue.find(get_settings(), user.model) if user.model else None
    return chosen or catalogue.default(get_settings())


def offered(user: User) -> list[Choice]:
    """List what can be chosen, in the catalogue's order."""
    return [
        Choice(
            id=model.id,
            display_name=model.display_name,
            maker=MAKERS[model.provider],
            price=f"A short answer costs about {money(micros)}.",
            accepts_images=model.accepts_images,
            is_chosen=model == current(user),
            is_default=model == catalogue.default(get_settings()),
        )
        for model, micros in _priced()
    ]


def worst_case(model: Model, input_tokens: int, output_tokens: int) -> int:
    """Return the most that a call of an offered model can cost, in micros."""
    return _prices().worst_case(model, input_tokens, output_tokens)


def _priced() -> Iterator[tuple[Model, int]]:
    """The models that can be served, with what a usual answer costs the person."""
    for model in catalogue.models(get_settings()):
        try:
            yield model, _prices().price(model, USUAL_ANSWER).charge_micros
        except PriceUnknown:
            # The meter would refuse it: what has no price is not served.
            continue


@lru_cache(maxsize=1)
def _prices() -> Prices:
    return Prices(get_settings())
