"""The alerts on the pages, until they are dismissed."""

from uuid import UUID

from flask import Blueprint, g, render_template, url_for

from models import alerts
from models.alerts import Alert
from webapp.database import db
from webapp.htmx import Answer, go_to, is_partial
from webapp.sign_in import current_user, find_current_user, member_required

pages = Blueprint("alerts", __name__)


@pages.post("/alerts/<uuid:alert_id>/dismissal")
@member_required
def dismiss(alert_id: UUID) -> Answer:
    """Show an alert of the person's no more."""
    alerts.dismiss(db(), current_user().id, alert_id)
    if is_partial():
        return render_template("alerts/_list.html")
    return go_to(url_for("chat.show_latest"))


@pages.app_template_global()
def open_alerts() -> list[Alert]:
    """List what holds now and whoever asks has not dismissed, asked once a request."""
    if "open_alerts" not in g:
        person = find_current_user()
        g.open_alerts = alerts.list_open(db(), person) if person else []
    return g.open_alerts
