"""The banner that says, for as long as it is so, that no assistant is up yet."""

from flask import Blueprint, render_template

from webapp import health
from webapp.database import db

pages = Blueprint("engine", __name__)


@pages.get("/engine")
def show() -> str:
    """Draw the banner as it stands; an empty one asks no more."""
    return render_template("engine/_banner.html", is_ready=engine_is_ready())


@pages.app_template_global()
def engine_is_ready() -> bool:
    """Whether any worker could answer now, asked on the request's own connection."""
    return health.engine_is_ready(db())
