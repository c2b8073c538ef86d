"""The alerts on the pages, until they are dismissed."""

from uuid import UUID

from flask import Blueprint, g, render_template, url_for

from models import alerts
from models.alerts import Alert, AlertKind
from webapp.database import db
from webapp.formats import money
from webapp.htmx import Answer, go_to, is_partial
from webapp.sign_in import current_user, find_current_user, member_required

pages = Blueprint("alerts", __name__)

NAMES = {AlertKind.DAY: "limit for today", AlertKind.MONTH: "limit for this month"}


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
    """List what whoever asks has not dismissed, asked once a request."""
    if "open_alerts" not in g:
        person = find_current_user()
        g.open_alerts = alerts.list_open(db(), person.id) if person else []
    return g.open_alerts


@pages.app_template_global()
def alert_words(alert: Alert) -> str:
    """Say what an alert is about."""
    if alert.kind is AlertKind.BALANCE:
        return f"Your credits have fallen below {money(alert.limit_micros)}."
    name, limit = NAMES[alert.kind], money(alert.limit_micros)
    if alert.percent >= 100:
        return f"Your {name} ({limit}) is used up."
    part = {50: "Half", 75: "Three quarters"}.get(alert.percent, f"{alert.percent} %")
    return f"{part} of your {name} ({limit}) is spent."
