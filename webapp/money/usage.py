"""What a person spent, drawn: a chart of the days, and what it went to."""

from dataclasses import dataclass

from flask import Blueprint, render_template, request

from actions import offers
from gateways import values
from models.ledger import usage
from models.ledger.usage import Day, Usage
from models.money import money
from webapp.core.auth import current_user, member_required
from webapp.core.db import db
from webapp.core.htmx import Answer

pages = Blueprint("usage", __name__)

PERIODS = (7, 30, 90)
USUAL_PERIOD = 30
# The chart's own units: a day is ten wide, the costliest a hundred high.
DAY_WIDTH, BAR_WIDTH, HEIGHT = 10, 7, 100
# What was spent at all can be seen.
LOWEST = 2


@dataclass(frozen=True)
class Bar:
    """A day in the chart."""

    x: float
    y: float
    height: float
    words: str


@dataclass(frozen=True)
class Chart:
    """The days as bars, from the left."""

    bars: tuple[Bar, ...]
    most_micros: int
    width: int
    height: int = HEIGHT
    bar_width: int = BAR_WIDTH


@pages.get("/usage")
@member_required
def show() -> Answer:
    """Show what was spent in the last 7, 30 or 90 days."""
    days = request.args.get("days", type=values.integer)
    days = days if days in PERIODS else USUAL_PERIOD
    found = usage.read(db(), current_user(), days)
    return render_template(
        "money/usage/page.html",
        usage=found,
        chart=_render(found),
        days=days,
        periods=PERIODS,
        days_left=found.days_left(current_user().credits_available_micros),
        model_name=offers.display_name,
    )


@pages.app_template_filter()
def short_day(day: Day) -> str:
    """Name a day: `3 March`."""
    return f"{day.day.day} {day.day:%B}"


def _render(found: Usage) -> Chart:
    most = max(day.micros for day in found.days)
    bars = tuple(_bar(number, day, most) for number, day in enumerate(found.days))
    return Chart(bars, most, DAY_WIDTH * len(bars))


def _bar(number: int, day: Day, most: int) -> Bar:
    height = max(HEIGHT * day.micros / most, LOWEST) if day.micros else 0
    return Bar(
        x=number * DAY_WIDTH + (DAY_WIDTH - BAR_WIDTH) / 2,
        y=round(HEIGHT - height, 2),
        height=round(height, 2),
        words=f"{short_day(day)}: {money(day.micros)}",
    )
