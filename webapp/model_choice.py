"""Which models a person may choose from, with their price in plain words."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from models.errors import Refused
from models.users import User
from settings import get_settings

if TYPE_CHECKING:
    from agent import catalogue
else:
    try:
        from agent import catalogue
    except ImportError:
        catalogue = None


class NotOffered(Refused):
    """This model is not offered (any more). Please choose one from the list."""


@dataclass(frozen=True)
class Choice:
    """One line of the list."""

    id: str
    display_name: str
    provider: str
    accepts_images: bool
    is_chosen: bool
    is_default: bool


PROVIDERS = {
    "anthropic": "Anthropic",
    "openai": "OpenAI",
    "gemini": "Google",
    "compatible": "Own server",
    "demo": "Demo",
}


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
            provider=PROVIDERS.get(model.provider, model.provider),
            accepts_images=model.accepts_images,
            is_chosen=model.id == chosen.id,
            is_default=model.id == default.id,
        )
        for model in catalogue.models(get_settings())
    ]
