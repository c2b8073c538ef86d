"""Which models a person may choose from, with their price in plain words."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

from agent import catalogue, context
from agent.catalogue import Model, NoModel, Provider
from agent.meter.call_ledger import Usage
from agent.prices import Prices, PriceUnknown
from models.errors import Refused
from models.money import money
from models.ops import switches
from models.schema.users import User
from settings import get_settings

MAKERS: dict[Provider, str] = {
    "anthropic": "Anthropic",
    "openai": "OpenAI",
    "gemini": "Google",
    "compatible": "Own server",
    "demo": "Built in",
}
# A message in a conversation that is under way: 13,000 tokens of instructions and of the talk come
# from the provider's cache. /prices says so to people.
USUAL_MESSAGE = Usage(input_tokens=1_000, output_tokens=400, cache_read_tokens=13_000)


DOLLAR = 1_000_000
MILLION = 1_000_000


class NotOffered(Refused):
    """A model is not offered, or not any more."""

    code = "not_offered"


class NothingOffered(Refused, NoModel):
    """There is no model at all: no provider's key was given yet, or the last was taken out."""

    code = "nothing_offered"


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
    # Whether it can be asked to think longer.
    thinks: bool


@dataclass(frozen=True)
class ListedPrice:
    """What a usual message costs a person, and a million tokens of each kind, in micros."""

    display_name: str
    maker: str
    words: str
    message_micros: int
    read_micros: int
    cache_read_micros: int
    cache_write_micros: int
    written_micros: int


def listed() -> list[ListedPrice]:
    """List the prices of all models on offer, in the catalogue's order."""
    return [
        ListedPrice(
            display_name=model.display_name,
            maker=MAKERS[model.provider],
            words=_in_words(micros),
            message_micros=micros,
            read_micros=_charge(model, Usage(input_tokens=MILLION)),
            cache_read_micros=_charge(model, Usage(cache_read_tokens=MILLION)),
            cache_write_micros=_charge(model, Usage(cache_write_tokens=MILLION)),
            written_micros=_charge(model, Usage(output_tokens=MILLION)),
        )
        for model, micros in _priced(_models())
    ]


def names() -> list[str]:
    """List the models on offer by the names people know."""
    return [model.display_name for model, _ in _priced(_models())]


def find(model_id: str) -> Model:
    """Find an offered model, or raise NotOffered."""
    wanted = next((model for model in _models() if model.id == model_id), None)
    if wanted is None or not list(_priced([wanted])):
        raise NotOffered
    return wanted


def display_name(model_id: str) -> str:
    """Name a model as people know it, or by its id when it is not offered any more."""
    model = catalogue.find(get_settings(), model_id)
    return model.display_name if model else model_id.partition("/")[2]


def current(user: User) -> Model:
    """Return the model that answers this person: theirs while it is offered, else the default.

    Raises NothingOffered.
    """
    return _current(user, _models())


def offered(user: User) -> list[Choice]:
    """List what can be chosen, in the catalogue's order."""
    # Looked up once: each conversation's page has this list.
    models = _models()
    if not models:
        return []
    current, default = _current(user, models), _default_of(models)
    return [
        Choice(
            id=model.id,
            display_name=model.display_name,
            maker=MAKERS[model.provider],
            price=_in_words(micros),
            accepts_images=model.accepts_images,
            is_chosen=model == current,
            is_default=model == default,
            thinks=model.thinks,
        )
        for model, micros in _priced(models)
    ]


def worst_case(model: Model, input_tokens: int, output_tokens: int) -> int:
    """Return the most that a call of an offered model can cost, in micros."""
    return _prices().worst_case(model, input_tokens, output_tokens)


def likely(model: Model, cached: int, fresh: int, output_tokens: int) -> int:
    """Return what a call of an offered model costs that finds `cached` tokens in the cache."""
    return _prices().likely(model, cached, fresh, output_tokens)


def window(model: Model) -> int:
    """Return how many tokens of a conversation an offered model is sent."""
    limit = get_settings().message_limit_micros
    return context.bounded(model, _prices(), limit).context_window


def _current(user: User, models: Sequence[Model]) -> Model:
    chosen = next((model for model in models if model.id == user.model), None)
    return chosen or _default_of(models)


def _models() -> Sequence[Model]:
    """The catalogue, without what an admin has switched off; all of it if that were everything."""
    known = catalogue.models(get_settings())
    off = switches.last_read().models_off
    return [model for model in known if model.id not in off] or known


def _default_of(models: Sequence[Model]) -> Model:
    if not models:
        raise NothingOffered
    wanted = switches.last_read().default_model
    switched = next((model for model in models if model.id == wanted), None)
    return switched or catalogue.default_of(models, get_settings())


def _priced(models: Sequence[Model]) -> Iterator[tuple[Model, int]]:
    """Those of the models that can be served, with what a usual answer costs the person."""
    for model in models:
        try:
            yield model, _charge(model, USUAL_MESSAGE)
        except PriceUnknown:
            # The meter would refuse it: what has no price is not served.
            continue


def _charge(model: Model, usage: Usage) -> int:
    return _prices().price(model, usage).charge_micros


def _in_words(message_micros: int) -> str:
    """Say how many usual messages a dollar pays for, in a round number."""
    count = DOLLAR // message_micros
    if count < 2:
        return f"About {money(message_micros)} for a message."
    step = 10 ** max(len(str(count)) - 2, 0)
    return f"About {count // step * step:,} messages for $1."


@lru_cache(maxsize=1)
def _prices() -> Prices:
    return Prices(get_settings(), lambda: switches.last_read().margin_percent)
