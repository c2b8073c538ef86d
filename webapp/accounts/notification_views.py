"""The part of the settings that is about notifications, as it is drawn."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from actions.sentences import notifications as sentences
from gateways import web_push
from models.channels import accounts
from models.notifications import preferences, quiet_hours, subscriptions
from models.notifications.preferences import EMAIL, PUSH
from models.notifications.subscriptions import Device
from models.schema.notifications import Topic
from models.schema.users import User
from settings import get_settings
from webapp.core.auth import current_session, current_user
from webapp.core.db import db


@dataclass(frozen=True)
class Row:
    """A topic: what it is, and by which of the ways it is told."""

    topic: Topic
    name: str
    meaning: str
    chosen: Collection[str]


@dataclass(frozen=True)
class NotificationsView:
    """All that the section shows; `quiet_from` and `quiet_until` as a time field has them."""

    ways: Mapping[str, str]
    rows: Sequence[Row]
    quiet_from: str
    quiet_until: str
    mails_a_day: int
    devices: Sequence[Device]
    # Whether this login shows notifications.
    is_on_here: bool
    # What this site signs with; empty where nothing can be pushed.
    public_key: str


def offered_ways(user: User) -> list[str]:
    """List the ways that a user can choose: those that they have."""
    push = [PUSH] if get_settings().offers_push else []
    return [EMAIL, *push, *(account.channel for account in accounts.list_own(db(), user.id))]


def view(
    chosen: Mapping[Topic, Collection[str]] | None = None, quiet: tuple[str, str] | None = None
) -> NotificationsView:
    """Show what holds, or what was typed and refused."""
    user = current_user()
    quiet_from, quiet_until = quiet or _quiet(user)
    key = get_settings().vapid_private_key
    devices = subscriptions.list_live(db(), user.id) if key else []
    return NotificationsView(
        ways={name: sentences.way(name) for name in offered_ways(user)},
        rows=[_row(user, topic, chosen) for topic in Topic],
        quiet_from=quiet_from,
        quiet_until=quiet_until,
        mails_a_day=get_settings().notification_mails_a_day,
        devices=devices,
        is_on_here=any(device.session.id == current_session().id for device in devices),
        public_key=web_push.public_key(key.get_secret_value()) if key else "",
    )


def _row(user: User, topic: Topic, chosen: Mapping[Topic, Collection[str]] | None) -> Row:
    ways = chosen[topic] if chosen else shown_ways(user, topic)
    return Row(topic, *sentences.topic(topic), ways)


def shown_ways(user: User, topic: Topic) -> list[str]:
    """List by which of the offered ways a user is told: by mail, if that is what is left."""
    choice, offered = preferences.find(db(), user.id, topic), offered_ways(user)
    taken = [way for way in offered if choice.takes(way)]
    return taken or ([EMAIL] if choice.is_mailed_at_last else [])


def _quiet(user: User) -> tuple[str, str]:
    hours = quiet_hours.of(user)
    return (_clock(hours.from_minute), _clock(hours.until_minute)) if hours else ("", "")


def _clock(minute: int) -> str:
    return f"{minute // 60:02}:{minute % 60:02}"
