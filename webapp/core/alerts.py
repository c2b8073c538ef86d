"""The alerts on the pages, until they are dismissed."""

from uuid import UUID

from flask import Blueprint, g, render_template, url_for

from models.ledger import alerts
from models.schema.alerts import Alert
from webapp.core.auth import current_user, find_current_user, member_required
from webapp.core.db import db
from webapp.core.htmx import Answer, go_to, is_partial

pages = Blueprint("alerts", __name__)


@pages.post("/alerts/<uuid:alert_id>/dismissal")
@member_required
def dismiss(alert_id: UUID) -> Answer:
    """Show an alert of the person's no more."""
    alerts.dismiss(db(), current_user().id, alert_id)
    if is_partial():
        return render_template("core/alerts/_list.html")
    return go_to(url_for("chat.show_latest"))


@pages.app_template_global()
def open_alerts() -> list[Alert]:
    """List what holds now and whoever asks has not dismissed, asked once a request."""
    if "open_alerts" not in g:
        person = find_current_user()
        g.open_alerts = alerts.list_open(db(), person) if person else []
    return g.open_alerts
