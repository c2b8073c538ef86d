"""The banner that says, for as long as it is so, that no assistant is up yet."""

from flask import Blueprint, g, render_template

from webapp.core import health
from webapp.core.db import db

pages = Blueprint("engine", __name__)


@pages.get("/engine")
def show() -> str:
    """Draw the banner as it stands; an empty one asks no more."""
    return render_template("core/engine/_banner.html", is_ready=engine_is_ready())


@pages.app_template_global()
def engine_is_ready() -> bool:
    """Whether any worker could answer now, asked once a request on its own connection."""
    if "engine_is_ready" not in g:
        g.engine_is_ready = health.engine_is_ready(db())
    return g.engine_is_ready
