"""How a user is told of things while they are away: ways, quiet hours, browsers that show them."""

from collections.abc import Collection, Mapping
from uuid import UUID

from flask import Blueprint, Response, request

from actions.sentences.refusals import sentence_of
from gateways import values, web_push
from gateways.values import BadValue
from models.errors import Refused
from models.notifications import preferences, quiet_hours, subscriptions
from models.notifications.quiet_hours import BadQuietHours
from models.notifications.subscriptions import Keys
from models.schema.notifications import Topic
from settings import get_settings
from webapp.accounts import preferences as settings_page
from webapp.accounts.notification_views import offered_ways, shown_ways, view
from webapp.core import assets
from webapp.core.auth import current_session, current_user, member_required
from webapp.core.db import db
from webapp.core.htmx import Answer
from webapp.core.security import limiter

pages = Blueprint("notifications", __name__)

SECTION = "notifications"
# As the topics are called in the form.
TOPICS = ("reminders", "tasks", "alerts", "long_work")


class BadSubscription(Refused):
    """What a browser says of itself is no subscription at a push service that we know."""

    code = "bad_push_subscription"


def push_limit() -> str:
    return get_settings().push_rate_limit


def _person() -> str:
    return f"person:{current_user().id}"


@pages.post("/settings/notifications")
@member_required
def choose() -> Answer:
    """Choose ways and quiet hours; a refusal changes nothing and keeps what was typed."""
    user, offered = current_user(), offered_ways(current_user())
    chosen = {
        Topic(topic): [way for way in request.form.getlist(topic) if way in offered]
        for topic in TOPICS
    }
    typed = (request.form.get("quiet-from", ""), request.form.get("quiet-until", ""))
    try:
        with db().begin_nested():
            _choose(chosen, offered)
            quiet_hours.choose(user, *(_minute(text) for text in typed))
    except Refused as refusal:
        shown, words = view(chosen, typed), sentence_of(refusal)
        return settings_page.page(refusal=words, section=SECTION, notifications=shown), 422
    return settings_page.saved("Saved. This is how you will be told.", SECTION)


def _choose(chosen: Mapping[Topic, Collection[str]], offered: Collection[str]) -> None:
    """Keep what was changed; what was left as it was shown goes on following what is usual."""
    user = current_user()
    for topic, ways in chosen.items():
        if set(ways) != set(shown_ways(user, topic)):
            preferences.choose(db(), user.id, topic, ways, offered)


@pages.post("/settings/devices")
@member_required
@limiter.limit(push_limit, key_func=_person)
def subscribe() -> Answer:
    """Show notifications in this browser; refuse what is no browser's subscription."""
    try:
        subscriptions.subscribe(db(), current_session(), _keys_in_form())
    except Refused as refusal:
        return settings_page.page(refusal=sentence_of(refusal), section=SECTION), 422
    return settings_page.saved("Notifications are on in this browser.", SECTION)


@pages.post("/settings/devices/<uuid:subscription_id>/removal")
@member_required
def unsubscribe(subscription_id: UUID) -> Answer:
    """Show notifications no more in one of the user's browsers."""
    subscriptions.remove_own(db(), current_user().id, subscription_id)
    return settings_page.saved("Notifications are off in that browser.", SECTION)


@pages.get("/service-worker.js")
def service_worker() -> Response:
    """Serve the script that shows notifications; from here its scope is the whole site."""
    found = assets.find("service-worker.js")
    response = Response(found.body if found else b"", mimetype="text/javascript")
    response.headers["Cache-Control"] = assets.ASK_AGAIN
    response.set_etag(found.digest if found else "")
    response.make_conditional(request)
    return response


def _minute(typed: str) -> int | None:
    """Read a time of the day; None when none was typed."""
    if not typed:
        return None
    try:
        return values.minute_of_day(typed)
    except BadValue as unreadable:
        raise BadQuietHours from unreadable


def _keys_in_form() -> Keys:
    settings = get_settings()
    if not settings.offers_push:
        raise BadSubscription
    try:
        target = web_push.target(
            request.form.get("endpoint"),
            request.form.get("p256dh"),
            request.form.get("auth"),
            settings.push_services,
        )
    except BadValue as unreadable:
        raise BadSubscription from unreadable
    return Keys(target.endpoint, target.p256dh, target.auth)
