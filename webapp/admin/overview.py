"""The overview: whether users are served, whether money is made, and what needs a hand."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from flask import Blueprint, Response, render_template, request

from actions.offers import MAKERS
from models.base import utc_now
from models.money import money
from models.ops import overview, right_now
from models.ops.overview import Overview, Part, Range, Totals
from models.people.admin_roles import Permission, may
from models.schema.product_events import ProductEventKind
from webapp.admin import spreadsheets
from webapp.admin.access import allowed_to
from webapp.core import charts
from webapp.core.auth import current_user
from webapp.core.charts import Chart, Value, Written
from webapp.core.db import db
from webapp.core.formats import count, short_money, viewers_zone
from webapp.core.htmx import Answer

pages = Blueprint("admin_overview", __name__)

TITLES = {
    Range.DAY: "24 hours",
    Range.WEEK: "7 days",
    Range.MONTH: "30 days",
    Range.YEAR: "1 year",
}
STEPS = {
    ProductEventKind.SIGNED_UP: "Signed up",
    ProductEventKind.VERIFIED: "Address verified",
    ProductEventKind.ONBOARDED: "Introduced themselves",
    ProductEventKind.FIRST_MESSAGE: "Sent a message",
    ProductEventKind.FIRST_ANSWER: "Had an answer",
    ProductEventKind.MESSENGER_LINKED: "Linked a messenger",
    ProductEventKind.FIRST_REMINDER: "Set a reminder",
    ProductEventKind.FIRST_TOP_UP: "Topped up",
}
# Of what a change for the better is one upwards, or downwards.
UP, DOWN = 1, -1
# After so long the page looks again at what is so right now.
SECONDS = 2
# In percent; beyond it there was too little before to compare.
MOST_CHANGE = 999


@dataclass(frozen=True)
class Metric:
    """A number of the range, how it has changed, and its chart."""

    name: str
    title: str
    total: str
    # In percent; None when there was hardly anything before.
    change: int | None
    is_better: bool
    chart: Chart


@dataclass(frozen=True)
class _Unit:
    is_money: bool
    written: Written
    # Beside the scale, where there is little room.
    marked: Written


_MONEY = _Unit(is_money=True, written=money, marked=short_money)
_COUNTS = _Unit(is_money=False, written=count, marked=count)


@dataclass(frozen=True)
class _Kind:
    name: str
    title: str
    unit: _Unit
    better: int
    of: Callable[[Totals], int]


KINDS: Sequence[_Kind] = (
    _Kind("revenue", "Revenue", _MONEY, UP, lambda one: one.revenue_micros),
    _Kind("margin", "Margin", _MONEY, UP, lambda one: one.margin_micros),
    _Kind("cost", "Provider cost", _MONEY, DOWN, lambda one: one.cost_micros),
    _Kind("top-ups", "Top-ups", _MONEY, UP, lambda one: one.topped_up_micros),
    _Kind("given-back", "Credits given back", _MONEY, DOWN, lambda one: one.given_back_micros),
    _Kind("messages", "Messages", _COUNTS, UP, lambda one: one.messages),
    _Kind("sign-ups", "Sign-ups", _COUNTS, UP, lambda one: one.sign_ups),
    _Kind("answers", "Answers", _COUNTS, UP, lambda one: one.answered),
    _Kind("failed", "Failed messages", _COUNTS, DOWN, lambda one: one.failed),
    _Kind("free-credit", "Free credit used", _MONEY, DOWN, lambda one: one.free_credit_micros),
    _Kind("refunds", "Money given back", _MONEY, DOWN, lambda one: one.refunds_micros),
    _Kind("absorbed", "Carried for failures", _MONEY, DOWN, lambda one: one.absorbed_micros),
)


@pages.get("/admin")
@allowed_to(Permission.READ)
def show() -> Answer:
    """Show a range of time beside the one before it, and what is so right now."""
    wanted = _range()
    found = overview.read(db(), wanted, utc_now())
    sees_money = may(current_user(), Permission.READ_MONEY)
    return render_template(
        "admin/overview/page.html",
        metrics=[
            _metric(kind, found, wanted) for kind in KINDS if sees_money or not kind.unit.is_money
        ],
        overview=found,
        **_now(),
        wanted=wanted,
        ranges=TITLES,
        steps=STEPS,
    )


@pages.get("/admin/overview.csv")
@allowed_to(Permission.READ_MONEY)
def download() -> Response:
    """Hand out all numbers of a range as CSV: of each hour, day or month of it."""
    wanted = _range()
    columns = (
        "begins_at",
        *(f"{one.name}_usd" if one.unit.is_money else one.name for one in KINDS),
    )
    rows = (
        (part.begins_at.isoformat(), *(_exact(kind, kind.of(part.now)) for kind in KINDS))
        for part in overview.read(db(), wanted, utc_now()).parts
    )
    return spreadsheets.answer(f"overview-{wanted.value}.csv", columns, rows)


def _exact(kind: _Kind, number: int) -> object:
    return spreadsheets.dollars(number) if kind.unit.is_money else number


@pages.get("/admin/now")
@allowed_to(Permission.READ)
def show_now() -> Answer:
    """Draw what is so right now, for a page that looks again every few seconds."""
    return render_template("admin/overview/_live.html", **_now())


def _now() -> Mapping[str, object]:
    queue, workers = right_now.queue_now(db()), right_now.workers_now(db())
    return {
        "queue": queue,
        "workers": workers,
        "providers": right_now.providers_now(db()),
        "makers": MAKERS,
        "troubles": right_now.troubles(db(), queue, workers),
        "active": overview.active(db(), utc_now()),
        "seconds": SECONDS,
    }


def _range() -> Range:
    asked = request.args.get("range", "")
    return next((one for one in Range if one == asked), Range.MONTH)


def _metric(kind: _Kind, found: Overview, wanted: Range) -> Metric:
    now, before = kind.of(found.now), kind.of(found.before)
    values = [
        Value(_name(part, wanted), kind.of(part.now), kind.of(part.before)) for part in found.parts
    ]
    return Metric(
        kind.name,
        kind.title,
        kind.unit.written(now),
        _change(now, before),
        (now - before) * kind.better >= 0,
        charts.render(values, kind.unit.written, kind.unit.marked),
    )


def _change(now: int, before: int) -> int | None:
    change = round(100 * (now - before) / abs(before)) if before else MOST_CHANGE + 1
    return change if abs(change) <= MOST_CHANGE else None


def _name(part: Part, wanted: Range) -> str:
    at = part.begins_at if wanted in {Range.MONTH, Range.YEAR} else _here(part.begins_at)
    day = f"{at.day} {at:%b}"
    return day if wanted in {Range.MONTH, Range.YEAR} else f"{day}, {at:%H:%M}"


def _here(moment: datetime) -> datetime:
    return moment.astimezone(viewers_zone())
