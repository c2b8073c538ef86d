"""The banner that says, for as long as it is so, that no assistant is up yet."""

from flask import Blueprint, render_template

from webapp.health import engine_is_ready

pages = Blueprint("engine", __name__)
pages.add_app_template_global(engine_is_ready)


@pages.get("/engine")
def show() -> str:
    """Draw the banner as it stands; an empty answer ends the asking."""
    return render_template("engine/_banner.html", is_ready=engine_is_ready())
