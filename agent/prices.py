"""What a call costs us, and what it costs the person: cost / (1 - margin), in micro-dollars.

Costs come from genai-prices, or from the PRICE_OVERRIDES setting for models that it lacks. It
counts input tokens with those of the cache, we without; its prices have tiers, so a whole call is
priced at once.
"""

import json
from bisect import bisect_right
from collections.abc import Callable
from dataclasses import dataclass
from decimal import ROUND_CEILING, Decimal
from functools import lru_cache
from hashlib import sha256
from importlib.metadata import version

from genai_prices import Usage as PricedUsage
from genai_prices import calc_price

from agent.catalogue import PRICE_PROVIDERS, Model
from agent.meter.call_ledger import Usage
from settings import Settings
from settings.providers import PriceOverride

MICROS = Decimal(1_000_000)
# So that money works in the demo as it does elsewhere.
DEMO_PRICE = PriceOverride(
    input=Decimal("0.5"),
    output=Decimal(2),
    cache_read=Decimal("0.05"),
    cache_write=Decimal("0.625"),
)


class PriceUnknown(Exception):
    """This model has no price above zero, so it is not served."""


@dataclass(frozen=True)
class Price:
    """What a call costs us, what it costs the person, and by which table."""

    provider_cost_micros: int
    charge_micros: int
    version: str


class Prices:
    """The prices of one set of settings, by the margin as it is when a call is priced."""

    def __init__(self, settings: Settings, margin: Callable[[], int] | None = None) -> None:
        """`margin` says it in percent at any moment; without, it is that of the settings."""
        given = settings.price_overrides
        self._overrides = {
            name: one for name, one in given.items() if isinstance(one, PriceOverride)
        }
        self._margin = margin or (lambda: settings.margin_percent)
        written = json.dumps(
            {name: one.model_dump(mode="json") for name, one in sorted(given.items())}
        )
        mark = sha256(written.encode()).hexdigest()[:8] if given else "0"
        self._version = f"{_table_version()}+{mark}"

    def price(self, model: Model, usage: Usage) -> Price:
        """Price a whole call. Raises PriceUnknown."""
        return self.priced(self.cost(model, usage))

    def priced(self, cost: Decimal) -> Price:
        """Say what a call that costs us so many dollars costs the person."""
        margin = self._margin()
        share = 1 - Decimal(margin) / 100
        return Price(_micros(cost), _micros(cost / share), f"{self._version}+m{margin}")

    def worst_case(self, model: Model, input_tokens: int, output_tokens: int) -> int:
        """The most that a call of this size can cost the person, however it is cached."""
        plain = Usage(input_tokens=input_tokens, output_tokens=output_tokens)
        written = Usage(cache_write_tokens=input_tokens, output_tokens=output_tokens)
        return max(self.price(model, usage).charge_micros for usage in (plain, written))

    def likely(self, model: Model, cached: int, fresh: int, output_tokens: int) -> int:
        """What a call costs the person when `cached` tokens of its input are still in the cache."""
        plain = Usage(fresh, output_tokens, cached, 0)
        written = Usage(0, output_tokens, cached, fresh)
        return max(self.price(model, usage).charge_micros for usage in (plain, written))

    def cost(self, model: Model, usage: Usage) -> Decimal:
        """Return our cost in dollars, zero only for what used nothing; raise PriceUnknown."""
        override = self._overrides.get(model.id)
        if override is None and model.provider == "demo":
            override = DEMO_PRICE
        cost = by_override(override, usage) if override else _by_table(model, usage)
        used = usage.input_tokens + usage.output_tokens + usage.cache_write_tokens
        if cost < 0 or (cost == 0 and used > 0):
            raise PriceUnknown(model.id)
        return cost


def most_payable(charge: Callable[[int], int], wanted: int, micros: int) -> int:
    """Return how many tokens, up to `wanted`, cost `micros` at most by `charge`; or 0."""
    if charge(wanted) <= micros:
        return wanted
    # Rounding makes neighbours cost the same, so it is searched for and not computed.
    return max(0, bisect_right(range(wanted), micros, key=charge) - 1)


def by_override(price: PriceOverride, usage: Usage) -> Decimal:
    """Return in dollars what a call costs us by a price that the settings name."""
    read = price.cache_read or price.input
    write = price.cache_write or price.input
    total = (
        usage.input_tokens * price.input
        + usage.output_tokens * price.output
        + usage.cache_read_tokens * read
        + usage.cache_write_tokens * write
    )
    return total / MICROS


def _by_table(model: Model, usage: Usage) -> Decimal:
    provider = PRICE_PROVIDERS.get(model.provider)
    if provider is None:
        raise PriceUnknown(model.id)
    everything = usage.input_tokens + usage.cache_read_tokens + usage.cache_write_tokens
    priced = PricedUsage(
        input_tokens=everything,
        cache_read_tokens=usage.cache_read_tokens,
        cache_write_tokens=usage.cache_write_tokens,
        output_tokens=usage.output_tokens,
    )
    try:
        return Decimal(calc_price(priced, model.name, provider_id=provider).total_price)
    except LookupError as unknown:
        raise PriceUnknown(model.id) from unknown


def _micros(dollars: Decimal) -> int:
    return int((dollars * MICROS).to_integral_value(ROUND_CEILING))


@lru_cache(maxsize=1)
def _table_version() -> str:
    return f"genai-prices-{version('genai-prices')}"
