"""The price simulator: a month that is over, once more at another margin, model or free credit."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from flask import Blueprint, Response, render_template, request

from actions import price_simulation
from gateways import values
from gateways.values import BadValue
from models.base import utc_now
from models.ops import profit, simulator, switches
from models.ops.profit import Amounts, Sums
from models.ops.simulator import Outcome, Scenario
from models.people.admin_roles import Permission
from webapp.admin import spreadsheets
from webapp.admin.access import allowed_to
from webapp.core.db import db
from webapp.core.htmx import Answer

pages = Blueprint("admin_simulator", __name__)

# Months that are over, of which there is a choice.
MONTHS = 12
ASKED = ("margin", "model", "grant", "cached")
MARGINS = range(30, 51)
LARGEST_GRANT_MICROS = 100_000_000


@dataclass(frozen=True)
class Line:
    """An amount as it was, and as it would have been."""

    title: str
    was_micros: int
    becomes_micros: int
    # Whether more of it is better.
    is_gain: bool

    @property
    def more_micros(self) -> int:
        return self.becomes_micros - self.was_micros


@pages.get("/admin/simulator")
@allowed_to(Permission.READ_MONEY)
def show() -> Answer:
    """Ask what is to be otherwise, and show what becomes of the month beside the books."""
    back, month, scenario = _back(), _month(), _scenario()
    outcome, books = _replay(month, scenario)
    return render_template(
        "admin/simulator/page.html",
        scenario=scenario,
        scenario_asked={name: request.args.get(name) for name in ASKED},
        lines=_lines(books.amounts, outcome.amounts),
        books=books,
        outcome=outcome,
        month=month,
        back=back,
        months=[(ago, profit.month_of(utc_now(), ago)[0]) for ago in range(1, MONTHS + 1)],
        margins=MARGINS,
        models=price_simulation.offered(),
        today=switches.current(db()),
        most=simulator.MOST,
    )


@pages.get("/admin/simulator.csv")
@allowed_to(Permission.READ_MONEY)
def download() -> Response:
    """Hand out what becomes of the month beside the books, and who had run dry, as CSV."""
    month = _month()
    outcome, books = _replay(month, _scenario())
    lines = [
        (one.title, *map(spreadsheets.dollars, (one.was_micros, one.becomes_micros)))
        for one in _lines(books.amounts, outcome.amounts)
    ]
    dry = [
        (f"Missing: {one.email}", "", spreadsheets.dollars(one.missing_micros))
        for one in outcome.dry
    ]
    name = f"simulator-{month:%Y-%m}.csv"
    return spreadsheets.answer(name, ("what", "books_usd", "replayed_usd"), [*lines, *dry])


def _back() -> int:
    back = request.args.get("back", type=values.integer)
    return back if back is not None and 1 <= back <= MONTHS else 1


def _month() -> datetime:
    return profit.month_of(utc_now(), _back())[0]


def _replay(month: datetime, scenario: Scenario) -> tuple[Outcome, Sums]:
    return price_simulation.replay(db(), month, scenario), profit.read_sums(db(), month)


def _scenario() -> Scenario:
    """Read what is to be otherwise; what is empty, or cannot be read, stays as it was."""
    known = {model.id for model in price_simulation.offered()}
    margin = request.args.get("margin", type=values.integer)
    cached = request.args.get("cached", type=values.integer)
    wanted = request.args.get("model", "")
    return Scenario(
        margin_percent=margin if margin in MARGINS else None,
        default_model=wanted if wanted in known else None,
        sign_up_grant_micros=_grant(),
        cached_percent=cached if cached is not None and cached <= 100 else None,
    )


def _grant() -> int | None:
    try:
        micros = values.dollars(request.args.get("grant"))
    except BadValue:
        return None
    return micros if micros <= LARGEST_GRANT_MICROS else None


def _lines(books: Amounts, becomes: Amounts) -> Sequence[Line]:
    named = (
        ("Profit", "profit_micros", True),
        ("Revenue", "revenue_micros", True),
        ("Providers", "cost_micros", False),
        ("Computing", "compute_micros", False),
        ("Storage", "storage_micros", False),
        ("Stripe’s fees", "fees_micros", False),
        ("Taken back", "gone_micros", False),
        ("Free credit used", "free_credit_micros", False),
    )
    return [
        Line(title, getattr(books, name), getattr(becomes, name), is_gain)
        for title, name, is_gain in named
    ]
