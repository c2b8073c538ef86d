"""An exchange as a live stream sends it: with what an answer that is over changes beside it."""

from flask import render_template
from markupsafe import Markup

from models import jobs
from webapp.chat import push_offer, rendering
from webapp.chat.views import ExchangeView
from webapp.core.auth import find_current_user
from webapp.core.db import db

AT_REST = {"queued", "paused", "sent", "stopped", "failed"}
# Drawn anew with an answer that is over.
BESIDE = (
    *("_credits_left.html", "chat/_dry.html", "core/alerts/_list.html"),
    "chat/_push_offer.html",
)


def render(view: ExchangeView) -> str:
    """Draw an exchange for whoever is logged in, and what is beside it."""
    html = rendering.render(view)
    # While words come, nothing has been charged yet.
    if all(run.state in AT_REST for run in view.runs):
        person = find_current_user()
        is_out_of_credit = (
            person is not None and not person.is_frozen and jobs.is_paused(db(), person)
        )
        offers_push = person is not None and push_offer.is_due(view)
        for name in BESIDE:
            html += Markup(  # noqa: S704  # it escapes
                render_template(name, is_out_of_credit=is_out_of_credit, offers_push=offers_push)
            )
    return html
