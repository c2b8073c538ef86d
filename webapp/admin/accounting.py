"""A month's money, as a page and as CSV: by day, model, channel, cohort and user."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime

from flask import Blueprint, Response, render_template, request

from channels import registry
from gateways import values
from models.base import utc_now
from models.errors import NotFound
from models.money import money
from models.ops import accounting, profit
from models.ops.accounting import Part
from models.ops.profit import Amounts, Order
from models.people.admin_roles import Permission
from models.schema.chat import WEB
from settings import get_settings
from webapp.admin import spreadsheets
from webapp.admin.access import allowed_to
from webapp.core import charts
from webapp.core.charts import Chart, Value
from webapp.core.db import db
from webapp.core.formats import short_money
from webapp.core.htmx import Answer

pages = Blueprint("admin_accounting", __name__)

# How many months back there is a choice of.
MONTHS = 13
AMOUNTS = (
    *("messages", "revenue_usd", "taken_back_usd", "provider_cost_usd", "compute_usd"),
    *("storage_usd", "stripe_fees_usd", "free_credit_usd", "absorbed_usd", "profit_usd"),
)
Month = tuple[datetime, datetime]


@pages.get("/admin/accounting")
@allowed_to(Permission.READ_MONEY)
def show() -> Answer:
    """Show what a month brought, by all that it can be split by, and who brought and cost most."""
    now = utc_now()
    since, until = month = _month()
    before = profit.month_of(since, 1)
    cohorts, days = profit.read_cohorts(db(), since), accounting.read_days(db(), *month)
    sums, ends = profit.sums_of(cohorts), profit.read_best_and_worst(db(), since)
    return render_template(
        "admin/accounting/page.html",
        sums=sums,
        before=profit.read_sums(db(), before[0]),
        units=accounting.units_of(sums),
        forecast=accounting.forecast(db(), now),
        chart=_chart(days, accounting.read_days(db(), *before)),
        parts=[
            ("models", "By model", accounting.read_models(db(), since, until)),
            ("channels", "By channel", accounting.read_channels(db(), since, until)),
        ],
        cohorts=cohorts,
        winners=ends[Order.WINNERS],
        losers=ends[Order.LOSERS],
        since=since,
        months=[profit.month_of(now, back)[0] for back in range(MONTHS)],
        rates=get_settings(),
        labels={WEB: "The website"} | {one.name: one.label for one in registry.installed()},
    )


@pages.get("/admin/accounting/<what>.csv")
@allowed_to(Permission.READ_MONEY)
def download(what: str) -> Response:
    """Hand one of the tables out as CSV, whole, in dollars."""
    if what not in TABLES:
        raise NotFound
    columns, rows = TABLES[what]
    month = _month()
    name = f"{what}-{month[0]:%Y-%m}.csv"
    return spreadsheets.answer(name, (*columns, *AMOUNTS), rows(month))


def _month() -> Month:
    back = request.args.get("back", type=values.integer)
    return profit.month_of(utc_now(), back if back is not None and back < MONTHS else 0)


def _chart(days: Sequence[Part], before: Sequence[Part]) -> Chart:
    """Draw the profit of each day, beside that of the same day of the month before."""
    # Days of which there was nothing are left out of either.
    then = {values.day(one.name).day: one.amounts.profit_micros for one in before}
    drawn = [
        Value(_day(one.name), one.amounts.profit_micros, then.get(values.day(one.name).day, 0))
        for one in days
    ]
    return charts.render(drawn, money, short_money)


def _day(name: str) -> str:
    at = values.day(name)
    return f"{at.day} {at:%b}"


def _written(amounts: Amounts) -> Sequence[object]:
    micros = (
        *(amounts.revenue_micros, amounts.gone_micros, amounts.cost_micros),
        *(amounts.compute_micros, amounts.storage_micros, amounts.fees_micros),
        *(amounts.free_credit_micros, amounts.absorbed_micros, amounts.profit_micros),
    )
    return (amounts.messages, *map(spreadsheets.dollars, micros))


def _people(month: Month) -> Iterator[Sequence[object]]:
    for one in profit.read_all(db(), month[0]):
        yield (one.user_id, one.email, *_written(one.amounts))


def _cohorts(month: Month) -> Iterator[Sequence[object]]:
    for one in profit.read_cohorts(db(), month[0]):
        yield (f"{one.signed_up_in:%Y-%m}", one.users, *_written(one.amounts))


def _parts(read: Callable[..., Sequence[Part]], month: Month) -> Iterator[Sequence[object]]:
    for one in read(db(), *month):
        yield (one.name, *_written(one.amounts))


Rows = Callable[[Month], Iterator[Sequence[object]]]
# By the name in the address: the first columns, and the rows.
TABLES: Mapping[str, tuple[Sequence[str], Rows]] = {
    "people": (("user_id", "email"), _people),
    "cohorts": (("signed_up_in", "users"), _cohorts),
    "days": (("day",), lambda month: _parts(accounting.read_days, month)),
    "models": (("model",), lambda month: _parts(accounting.read_models, month)),
    "channels": (("channel",), lambda month: _parts(accounting.read_channels, month)),
}
