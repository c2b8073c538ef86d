"""A search of the web: held for before the engine is asked, charged once it has answered.

Its price is known before. Of an engine that gives no answer nothing is charged.
"""

from dataclasses import dataclass
from decimal import Decimal
from uuid import UUID

import structlog
from sqlalchemy.orm import Session

from actions import charges
from agent.prices import Price, Prices
from gateways import web_search
from gateways.web_search import Engine, Found, SearchFailed
from models import ledger
from models.errors import Refused
from models.ledger import CallCost
from models.ledger.searches import open_search
from models.ops import switches
from models.schema.jobs import Job
from models.schema.model_calls import CallStatus
from models.schema.users import User
from settings import get_settings

log = structlog.get_logger()

MICROS = Decimal(1_000_000)
# With which the price of a search is noted, in place of a table of models.
PRICE_TABLE = "settings"


class SearchNotOffered(Refused):
    """No engine that searches the web is set up."""

    code = "search_not_offered"


@dataclass(frozen=True)
class HeldSearch:
    """A search that is paid for if it is answered."""

    call_id: UUID
    user_id: UUID
    engine: Engine
    price: Price


def is_offered() -> bool:
    """Tell whether the web can be searched here."""
    return web_search.engine(get_settings()) is not None


def price_micros() -> int:
    """Return what a search costs its user, in micros; 0 if nobody searches."""
    engine = web_search.engine(get_settings())
    return _price(engine).charge_micros if engine else 0


def hold(db: Session, user: User, job: Job) -> HeldSearch:
    """Hold what one search for a held job costs its locked user.

    Raises SearchNotOffered, and what bounds the user's spending as `open_search` does.
    """
    engine = web_search.engine(get_settings())
    if engine is None:
        raise SearchNotOffered
    price = _price(engine)
    call_id = open_search(db, user, job, engine=engine.name, held_micros=price.charge_micros)
    return HeldSearch(call_id, user.id, engine, price)


def ask(held: HeldSearch, query: str) -> tuple[Found, ...]:
    """Put a search to its engine. Blocking, without a session. Raises SearchFailed."""
    try:
        return web_search.search(get_settings(), held.engine.name, query)
    except SearchFailed as failure:
        log.warning("search.failed", engine=held.engine.name, error=str(failure))
        raise


def charge(db: Session, held: HeldSearch) -> None:
    """Turn the hold of a search that was answered into its charge."""
    cost = CallCost(
        tokens_in=0,
        tokens_out=0,
        tokens_cache_read=0,
        tokens_cache_write=0,
        provider_cost_micros=held.price.provider_cost_micros,
        charge_micros=held.price.charge_micros,
        price_version=held.price.version,
        is_estimated=False,
    )
    charged = ledger.close_call(db, call_id=held.call_id, status=CallStatus.COMPLETED, cost=cost)
    charges.follow_up(db, held.user_id, charged)


def release(db: Session, held: HeldSearch, detail: str) -> None:
    """Let the hold of a search go that nobody answered; `detail` is noted with it."""
    nothing = CallCost(0, 0, 0, 0, 0, 0, "", is_estimated=False)
    ledger.close_call(
        db, call_id=held.call_id, status=CallStatus.FAILED, cost=nothing, detail=detail
    )


def _price(engine: Engine) -> Price:
    margin = switches.last_read().margin_percent
    found = Prices(get_settings(), lambda: margin).priced(engine.cost_micros / MICROS)
    version = f"{PRICE_TABLE}-{engine.cost_micros}+m{margin}"
    return Price(found.provider_cost_micros, found.charge_micros, version)
