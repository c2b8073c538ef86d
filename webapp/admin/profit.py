"""Profit by user, as a page and as CSV."""

import csv
import io
from collections.abc import Iterable
from datetime import datetime

from flask import Blueprint, Response, make_response, render_template, request

from gateways import values
from models.base import utc_now
from models.money import exact_dollars
from models.ops import profit
from models.ops.profit import Order, Profit
from models.people.admin_roles import Permission
from settings import get_settings
from webapp.admin.access import allowed_to
from webapp.core.db import db
from webapp.core.htmx import Answer

pages = Blueprint("admin_profit", __name__)

# How many months back there is a choice of.
MONTHS = 12
COLUMNS = (
    *("user_id", "email", "messages", "revenue_usd", "taken_back_usd", "provider_cost_usd"),
    *("compute_usd", "stripe_fees_usd", "free_credit_usd", "profit_usd"),
)


@pages.get("/admin/profit")
@allowed_to(Permission.READ_MONEY)
def show() -> Answer:
    """Show who brought most and who cost most in a month."""
    since, until = _month()
    now = utc_now()
    return render_template(
        "admin/profit/page.html",
        sums=profit.read_sums(db(), since, until),
        winners=profit.read(db(), since, until, Order.WINNERS),
        losers=profit.read(db(), since, until, Order.LOSERS),
        since=since,
        months=[profit.month_of(now, back)[0] for back in range(MONTHS)],
        rates=get_settings(),
    )


@pages.get("/admin/profit.csv")
@allowed_to(Permission.READ_MONEY)
def download() -> Response:
    """Hand the month out as CSV: everybody of whom there was anything, in dollars."""
    since, until = _month()
    answer = make_response(_csv(profit.read_all(db(), since, until)))
    answer.headers["Content-Type"] = "text/csv; charset=utf-8"
    name = f"profit-{since:%Y-%m}.csv"
    answer.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer


def _month() -> tuple[datetime, datetime]:
    now = utc_now()
    back = request.args.get("back", type=values.integer)
    return profit.month_of(now, back if back is not None and back < MONTHS else 0)


def _csv(rows: Iterable[Profit]) -> str:
    written = io.StringIO()
    table = csv.writer(written, lineterminator="\n")
    table.writerow(COLUMNS)
    for one in rows:
        amounts = (
            *(one.revenue_micros, one.gone_micros, one.cost_micros, one.compute_micros),
            *(one.fees_micros, one.free_credit_micros, one.profit_micros),
        )
        table.writerow((one.user_id, _plain(one.email), one.messages, *map(exact_dollars, amounts)))
    return written.getvalue()


def _plain(words: str) -> str:
    """Keep a spreadsheet from taking words for a formula."""
    return f"'{words}" if words.startswith(("=", "+", "-", "@")) else words
