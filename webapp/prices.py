"""What each model costs, for anybody to read."""

from flask import Blueprint, render_template

from settings import get_settings
from webapp import model_choice

pages = Blueprint("prices", __name__)


@pages.get("/prices")
def show() -> str:
    """List the prices of all models, and say what a usual message is."""
    settings = get_settings()
    return render_template(
        "prices/page.html",
        prices=model_choice.listed(),
        usual=model_choice.USUAL_MESSAGE,
        margin_percent=settings.margin_percent,
    )
