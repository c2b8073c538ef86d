"""What each model costs, for anybody to read."""

from flask import Blueprint, render_template

from actions import offers, voice
from actions.web import searching
from models.ops import switches
from webapp.core.db import db

pages = Blueprint("prices", __name__)


@pages.get("/prices")
def show() -> str:
    """List the prices of all models, and say what a usual message is."""
    return render_template(
        "public/prices/page.html",
        prices=offers.listed(),
        usual=offers.USUAL_MESSAGE,
        spoken=voice.minute_prices(),
        search_micros=searching.price_micros(),
        margin_percent=switches.current(db()).margin_percent,
    )
