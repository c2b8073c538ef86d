"""A month once more at other prices: what the scenario asks of the price list, and the replay."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal

from sqlalchemy.orm import Session

from agent import catalogue
from agent.catalogue import Model
from agent.meter.call_ledger import Usage
from agent.prices import Prices, PriceUnknown
from models.ops import simulator
from models.ops.simulator import Outcome, Rate, Scenario
from settings import Settings, get_settings

# Prices have tiers by length: those of an ordinary call count.
TOKENS = 1_000


def replay(db: Session, month: datetime, scenario: Scenario) -> Outcome:
    """Replay the month that begins then, its calls priced by today's list where that matters."""
    settings = get_settings()
    wanted = set(simulator.models_of(db, month))
    if scenario.default_model:
        wanted.add(scenario.default_model)
    return simulator.replay(db, month, scenario, _rates(settings, sorted(wanted)))


def offered() -> Sequence[Model]:
    """List the models that could be the default."""
    return catalogue.models(get_settings())


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
