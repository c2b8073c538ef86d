"""Notifications: once, by the ways that were chosen, and in no quiet hour."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from actions import billing_emails, notifications
from models.channels import accounts
from models.email import templates
from models.email.templates import Action
from models.ledger import alerts
from models.notifications import preferences, quiet_hours
from models.notifications.preferences import NoWayLeft
from models.people import sessions
from models.schema.channels import ChannelAccount, Delivery
from models.schema.emails import Email
from models.schema.notifications import (
    Notification,
    NotificationPreference,
    Push,
    PushSubscription,
    Topic,
)
from models.schema.users import User
from tasks import upkeep
from tests.payments import spend

LETTER = templates.alert(
    "Credits are low", ["Top up [now]."], see=Action("Top up", "https://here.example/billing")
)


def tell(db: Session, user: User, topic: Topic = Topic.ALERTS, reference: str = "one") -> None:
    notifications.notify(db, user, topic, LETTER, reference=reference)


def told(db: Session) -> dict[str, list[str]]:
    """What went out, by its way."""
    notices = db.scalars(sa.select(Delivery).order_by(Delivery.number))
    return {
        "email": [mail.subject for mail in db.scalars(sa.select(Email))],
        "push": [(push.content or {})["title"] for push in db.scalars(sa.select(Push))],
        "telegram": [delivery.content["text"] for delivery in notices],
    }


NOTHING: dict[str, list[str]] = {"email": [], "push": [], "telegram": []}
MAILED = NOTHING | {"email": ["Credits are low"]}


def quiet_now(user: User) -> None:
    """Begin quiet hours that last a few hours more, wherever the user is."""
    user.timezone = "UTC"
    minute = datetime.now(UTC).hour * 60
    quiet_hours.choose(user, minute, (minute + 180) % 1440)


def test_alerts_are_mailed_unless_something_else_was_chosen(
    db: Session, ada: User, phone: PushSubscription, messenger: ChannelAccount
) -> None:
    assert phone
    assert messenger
    tell(db, ada)
    assert told(db) == MAILED


def test_every_chosen_way_is_gone(
    db: Session, ada: User, phone: PushSubscription, messenger: ChannelAccount
) -> None:
    assert phone
    assert messenger
    preferences.choose(db, ada.id, Topic.ALERTS, ["email", "push", "telegram"])
    tell(db, ada)
    assert told(db) == {
        "email": ["Credits are low"],
        "push": ["Credits are low"],
        "telegram": ["**Credits are low**\n\nTop up \\[now\\]\\."],
    }
    button = db.scalars(sa.select(Delivery.content)).one()["rows"][0][0]
    assert (button["label"], button["url"]) == ("Top up", "https://here.example/billing")
    assert db.scalars(sa.select(Push.content)).one() == {
        "title": "Credits are low",
        "text": "Top up [now].",
        "url": "https://here.example/billing",
    }


def test_who_wants_to_hear_nothing_hears_nothing(
    db: Session, ada: User, phone: PushSubscription
) -> None:
    assert phone
    for topic in set(Topic) - preferences.MANDATORY:
        preferences.choose(db, ada.id, topic, [])
        tell(db, ada, topic, topic)
    assert told(db) == NOTHING


def test_news_of_money_comes_by_some_way(db: Session, ada: User, phone: PushSubscription) -> None:
    assert phone
    with pytest.raises(NoWayLeft):
        preferences.choose(db, ada.id, Topic.ALERTS, [])
    # As it was before one was wanted.
    nothing = {"user_id": ada.id, "topic": Topic.ALERTS, "ways": [], "declined": ["email"]}
    db.execute(sa.insert(NotificationPreference).values(nothing))
    tell(db, ada)
    assert told(db) == MAILED


def test_each_topic_has_its_own_ways(db: Session, ada: User, phone: PushSubscription) -> None:
    assert phone
    tell(db, ada, Topic.LONG_WORK)
    assert told(db) == NOTHING | {"push": ["Credits are low"]}


def test_what_others_chose_is_theirs(
    db: Session, ada: User, eve: User, phone: PushSubscription
) -> None:
    assert phone
    preferences.choose(db, ada.id, Topic.ALERTS, ["push"])
    tell(db, eve)
    assert told(db) == MAILED
    assert db.scalars(sa.select(Email.recipient)).one() == eve.email


def test_the_same_is_told_once(db: Session, ada: User, phone: PushSubscription) -> None:
    assert phone
    preferences.choose(db, ada.id, Topic.ALERTS, ["email", "push"])
    tell(db, ada)
    # Even by ways that were chosen in between.
    preferences.choose(db, ada.id, Topic.ALERTS, ["email", "push", "telegram"])
    tell(db, ada)
    assert told(db) == MAILED | {"push": ["Credits are low"]}
    tell(db, ada, reference="two")
    assert len(told(db)["email"]) == 2


def test_what_is_rolled_back_is_told_nobody(db: Session, ada: User) -> None:
    with pytest.raises(RuntimeError), db.begin_nested():
        tell(db, ada)
        raise RuntimeError
    assert told(db) == NOTHING
    tell(db, ada)
    assert told(db) == MAILED


def test_what_no_chosen_way_can_bring_is_mailed(
    db: Session, ada: User, phone: PushSubscription, messenger: ChannelAccount
) -> None:
    for topic in Topic:
        preferences.choose(db, ada.id, topic, ["push", "telegram"])
    accounts.mark_blocked(db, messenger.channel, messenger.account_id)
    tell(db, ada)
    assert told(db) == NOTHING | {"push": ["Credits are low"]}
    sessions.revoke(db, ada.id, phone.session_id)
    for topic in Topic:
        tell(db, ada, topic, topic)
    assert len(told(db)["email"]) == len(Topic)
    assert len(told(db)["push"]) == 1


def test_a_long_answer_is_not_mailed_because_push_was_never_on(db: Session, ada: User) -> None:
    tell(db, ada, Topic.LONG_WORK)
    preferences.choose(db, ada.id, Topic.LONG_WORK, ["push"])
    tell(db, ada, Topic.LONG_WORK, "two")
    assert told(db) == NOTHING


def test_without_a_signing_key_nothing_is_pushed(
    db: Session, ada: User, phone: PushSubscription, adjust: Callable[..., None]
) -> None:
    assert phone
    adjust(VAPID_PRIVATE_KEY="")
    preferences.choose(db, ada.id, Topic.ALERTS, ["push"])
    tell(db, ada)
    assert told(db) == MAILED


def test_in_quiet_hours_it_waits_for_their_end(db: Session, ada: User) -> None:
    quiet_now(ada)
    for _ in range(2):
        tell(db, ada)
    upkeep.tell_what_was_held()
    assert told(db) == NOTHING
    held = db.scalars(sa.select(Notification)).one()
    assert held.ready_at == quiet_hours.end(ada, datetime.now(UTC))
    assert not notifications.dispatch_next(db)

    # The night is over.
    quiet_hours.choose(ada, None, None)
    held.ready_at = datetime.now(UTC) - timedelta(seconds=1)
    db.flush()
    upkeep.tell_what_was_held()
    upkeep.tell_what_was_held()
    assert told(db) == MAILED
    letter = db.scalars(sa.select(Email)).one()
    assert letter.text_body == LETTER.as_text()
    assert db.scalars(sa.select(Notification.content)).all() == [None]


def test_it_goes_the_ways_that_are_chosen_when_they_end(
    db: Session, ada: User, phone: PushSubscription
) -> None:
    assert phone
    quiet_now(ada)
    tell(db, ada)
    preferences.choose(db, ada.id, Topic.ALERTS, ["push"])
    db.execute(sa.update(Notification).values(ready_at=sa.func.now()))
    # They were made longer meanwhile.
    assert notifications.dispatch_next(db)
    assert told(db) == NOTHING
    quiet_hours.choose(ada, None, None)
    db.execute(sa.update(Notification).values(ready_at=sa.func.now()))
    assert notifications.dispatch_next(db)
    assert told(db) == NOTHING | {"push": ["Credits are low"]}


def test_alerts_about_money_follow_what_was_chosen(
    db: Session, ada: User, phone: PushSubscription
) -> None:
    assert phone
    preferences.choose(db, ada.id, Topic.ALERTS, ["push"])
    spend(db, ada, 900_000)
    for _ in range(2):
        billing_emails.tell_alerts(db, alerts.raise_due(db, ada.id))
    assert told(db) == NOTHING | {"push": ["Your credits have fallen below $0.20"]}
