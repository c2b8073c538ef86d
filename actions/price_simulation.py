"""A month once more at other prices: what the scenario asks of the price list, and the replay."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal

from sqlalchemy.orm import Session

from agent import catalogue, transcribers
from agent.catalogue import Model
from agent.meter.call_ledger import Usage
from agent.prices import Prices, PriceUnknown
from models.ledger import searches
from models.ops import simulator
from models.ops.simulator import Outcome, Rate, Scenario
from settings import Settings, get_settings

# Prices have tiers by length: those of an ordinary call count.
TOKENS = 1_000


def replay(db: Session, month: datetime, scenario: Scenario) -> Outcome:
    """Replay the month that begins then, its calls priced by today's list where that matters."""
    settings = get_settings()
    used = simulator.models_of(db, month)
    besides = _no_answers(settings, used)
    wanted = {*used, scenario.default_model or ""} - {"", *besides}
    rates = _rates(settings, sorted(wanted))
    return simulator.replay(db, month, scenario, rates, besides=besides)


def offered() -> Sequence[Model]:
    """List the models that could be the default."""
    return catalogue.models(get_settings())


def _no_answers(settings: Settings, used: Sequence[str]) -> Sequence[str]:
    """Name those that have searched the web or written recordings down, and answered nothing."""
    listen = {one.id for one in transcribers.transcribers(settings)}
    return [name for name in used if name in listen or name.endswith(f"/{searches.NAME}")]


def _rates(settings: Settings, wanted: Sequence[str]) -> Mapping[str, Rate]:
    """Look up what tokens cost, by model; one without a price is left out."""
    prices, found = Prices(settings), dict[str, Rate]()
    for name in wanted:
        model = catalogue.describe(settings, name)
        if model is None:
            continue
        try:
            found[name] = _rate(prices, model)
        except PriceUnknown:
            continue
    return found


def _rate(prices: Prices, model: Model) -> Rate:
    kinds = (
        Usage(input_tokens=TOKENS),
        Usage(output_tokens=TOKENS),
        Usage(cache_read_tokens=TOKENS),
        Usage(cache_write_tokens=TOKENS),
    )
    return Rate(*(prices.cost(model, usage) * 1_000_000 / Decimal(TOKENS) for usage in kinds))
