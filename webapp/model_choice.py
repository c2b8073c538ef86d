"""Which models a person may choose from, with their price in plain words."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from models.errors import Refused
from models.users import User
from settings import get_settings
from webapp.formats import money

if TYPE_CHECKING:
    from agent import catalogue, prices
    from agent.meter.books import Usage
else:
    try:
        from agent import catalogue, prices
        from agent.meter.books import Usage
    except ImportError:
        catalogue = prices = Usage = None

MAKERS = {
    "anthropic": "Anthropic",
    "openai": "OpenAI",
    "gemini": "Google",
    "compatible": "Own server",
    "demo": "Built in",
}


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
    if catalogue is None:
        return []
    return [model.display_name for model in catalogue.models(get_settings())]


def find(model_id: str) -> "catalogue.Model":
    """Find an offered model, or raise NotOffered."""
    found = catalogue.find(get_settings(), model_id)
    if found is None:
        raise NotOffered
    return found


def current(user: User) -> "catalogue.Model":
    """Return the model that answers this person: theirs while it is offered, else the default."""
    chosen = catalogue.find(get_settings(), user.model) if user.model else None
    return chosen or catalogue.default(get_settings())


def offered(user: User) -> list[Choice]:
    """List what can be chosen, in the catalogue's order."""
    chosen, default = current(user), catalogue.default(get_settings())
    return [
        Choice(
            id=model.id,
            display_name=model.display_name,
            maker=MAKERS[model.provider],
            price=_price_in_words(model),
            accepts_images=model.accepts_images,
            is_chosen=model.id == chosen.id,
            is_default=model.id == default.id,
        )
        for model in catalogue.models(get_settings())
    ]


def _price_in_words(model: "catalogue.Model") -> str:
    # An answer in a conversation that is under way: OpenClaw's own 13,000 tokens of instructions
    # come from the provider's cache.
    usual = Usage(
        input_tokens=1_000, output_tokens=400, cache_read_tokens=13_000, cache_write_tokens=0
    )
    return f"A short answer costs about {money(prices.price(model, usual).charge_micros)}."
