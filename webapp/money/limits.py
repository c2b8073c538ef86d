"""What a person lets themselves spend, and how much of it is used."""

from dataclasses import dataclass
from datetime import datetime

from flask import Blueprint, flash, render_template, request, url_for

from actions.sentences.refusals import sentence_of
from gateways import values
from gateways.values import BadValue
from models.base import utc_now
from models.errors import Refused
from models.ledger import limits
from models.ledger.limits import BadLimit, Limits
from models.money import typed_dollars
from models.periods import day_of, month_of
from settings import get_settings
from webapp.core.auth import current_user, member_required
from webapp.core.db import db
from webapp.core.htmx import Answer, go_to

pages = Blueprint("limits", __name__)

FIELDS = ("message", "day", "month")


@dataclass(frozen=True)
class Use:
    """How much of a limit is used; `limit_micros` is None where there is none."""

    name: str
    spent_micros: int
    limit_micros: int | None
    begins_anew: datetime


@pages.get("/limits")
@member_required
def show() -> Answer:
    """Show the limits and how much of them is used."""
    return _page(_written())


@pages.post("/limits")
@member_required
def choose() -> Answer:
    """Set the limits, an empty field being none; refusals keep what was typed."""
    typed = {name: request.form.get(name, "").strip() for name in FIELDS}
    try:
        limits.choose(db(), current_user().id, _read(typed))
    except Refused as refusal:
        return _page(typed, sentence_of(refusal)), 422
    flash("Saved. Your limits hold from now on.")
    return go_to(url_for("limits.show"))


def _read(typed: dict[str, str]) -> Limits:
    return Limits(*(_micros(typed[name]) for name in FIELDS))


def _micros(typed: str) -> int | None:
    """Read an amount in dollars; None when nothing was typed."""
    if not typed:
        return None
    try:
        return values.dollars(typed)
    except BadValue as unreadable:
        raise BadLimit from unreadable


def _written() -> dict[str, str]:
    """Write the person's limits as they would type them."""
    user = current_user()
    set_to = (user.message_limit_micros, user.day_limit_micros, user.month_limit_micros)
    return {
        name: "" if micros is None else typed_dollars(micros)
        for name, micros in zip(FIELDS, set_to, strict=True)
    }


def _uses() -> list[Use]:
    user, now = current_user(), utc_now()
    day, month = day_of(user.timezone, now), month_of(user.timezone, now)
    return [
        Use(
            "Today", limits.spent_since(db(), user.id, day.begins), user.day_limit_micros, day.ends
        ),
        Use(
            "This month",
            limits.spent_since(db(), user.id, month.begins),
            user.month_limit_micros,
            month.ends,
        ),
    ]


def _page(typed: dict[str, str], refusal: str = "") -> str:
    settings = get_settings()
    return render_template(
        "money/limits/page.html",
        typed=typed,
        refusal=refusal,
        uses=_uses(),
        usual_micros=settings.message_limit_micros,
        most_micros=settings.turn_max_cost_micros,
    )
