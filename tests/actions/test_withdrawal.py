"""What is deleted is told nobody any more, and no outbox keeps a word of it."""

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import InstrumentedAttribute, Session

from actions import conversations as acts
from actions import notifications
from actions.announcements import StreamPublisher
from actions.tellings import Telling
from models.base import utc_now
from models.chat import conversations
from models.database import clock, open_session, unit_of_work
from models.notifications import preferences, pushes, quiet_hours, subscriptions
from models.notifications.subscriptions import Keys
from models.people import sessions
from models.schema.channels import Delivery, DeliveryStatus
from models.schema.chat import Conversation, Message, Role
from models.schema.emails import Email, EmailKind, EmailStatus
from models.schema.notifications import Notification, Push, PushStatus, Topic
from models.schema.users import User
from tests import factories, scanning
from tests.actions.telling import LETTER, WAYS, a_day_later, be_quiet, remind, tell
from tests.locks import wait_for_waiter


def _held(db: Session, ada: User) -> Conversation:
    """Let a message be told that waits for the end of the quiet hours."""
    be_quiet(ada)
    talk = factories.conversation(db, ada)
    message = conversations.say(db, talk, Role.ASSISTANT, "A secret.")
    db.flush()
    told_of = Telling(ada, Topic.TASKS, LETTER, "one", message_id=message.id)
    notifications.notify_all(db, [told_of])
    return talk


def test_who_deletes_a_conversation_takes_back_what_waits(db: Session, ada: User) -> None:
    talk = _held(db, ada)
    assert db.scalars(sa.select(Notification.content)).one() is not None
    conversations.erase(db, talk)
    db.expire_all()
    assert db.scalars(sa.select(Notification)).all() == []


def _erase_all_talks(db: Session) -> None:
    for talk in db.scalars(sa.select(Conversation)):
        conversations.erase(db, talk)
    db.expire_all()


@pytest.mark.usefixtures("phone", "messenger")
def test_who_deletes_a_conversation_takes_back_what_was_written_to_be_sent(
    db: Session, ada: User
) -> None:
    for topic in (Topic.REMINDERS, Topic.ALERTS):
        preferences.choose(db, ada.id, topic, WAYS, WAYS)
    remind(db, ada, "Secret clinic")
    tell(db, ada, Topic.ALERTS)
    assert scanning.tables_with(db, ["clinic"]) >= {"emails", "pushes", "deliveries"}

    _erase_all_talks(db)

    assert scanning.tables_with(db, ["clinic"]) <= {"reminders", "reminder_firings"}
    assert [one.kind for one in db.scalars(sa.select(Email)) if one.text_body] == [EmailKind.ALERT]
    assert _states(db, Push.status) == [PushStatus.FAILED, PushStatus.WAITING]
    assert _states(db, Delivery.status) == [DeliveryStatus.CANCELLED, DeliveryStatus.WAITING]


@pytest.mark.usefixtures("messenger")
def test_however_much_was_told_it_is_taken_back(db: Session, ada: User) -> None:
    """A statement has 65,535 parameters at most."""
    talk = factories.conversation(db, ada)
    message = conversations.say(db, talk, Role.ASSISTANT, "A secret.")
    db.flush()
    now = utc_now()
    told_of = {"user_id": ada.id, "topic": Topic.TASKS, "message_id": message.id}
    at = {"ready_at": now, "dispatched_at": now}
    rows = [told_of | at | {"reference": f"told:{number}"} for number in range(66_000)]
    db.execute(sa.insert(Notification), rows)

    conversations.erase(db, talk)

    assert db.scalar(sa.select(Notification.id).limit(1)) is None


def test_a_login_that_ends_and_a_deletion_wait_for_each_other_in_order(
    emptied: sa.Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    with unit_of_work() as db:
        ada = factories.user(db, "ada@example.org")
        talk = factories.conversation(db, ada)
        message = conversations.say(db, talk, Role.ASSISTANT, "A secret.")
        session = sessions.open_for(db, ada, "a phone")
        session.expires_at = utc_now()
        keys = Keys("https://push.example/1", "x", "x")
        phone = subscriptions.subscribe(db, session, keys)
        for name in ("one", "two"):
            told_of = Telling(ada, Topic.TASKS, LETTER, name, message_id=message.id)
            notifications.notify_all(db, [told_of])
            pushes.queue(db, phone, {"title": "A secret"}, reference=name)
        # The one that the sender looks at first is not the one that goes first.
        sooner = pushes.clock(db) - timedelta(minutes=1)
        db.execute(sa.update(Push).where(Push.reference == "two").values(next_try_at=sooner))

    def _delete() -> None:
        with unit_of_work() as db:
            acts.delete(db, db.get_one(User, ada.id), talk.id, StreamPublisher())

    with ThreadPoolExecutor(1) as pool:
        deleting = list[Future[None]]()

        def _clock(db: Session) -> datetime:
            if not deleting:
                deleting.append(pool.submit(_delete))
                wait_for_waiter(emptied)
            return clock(db)

        monkeypatch.setattr(pushes, "clock", _clock)
        with unit_of_work() as db:
            assert pushes.claim_next(db, timedelta(seconds=30)) is None
        deleting[0].result(10)


def _states(db: Session, column: InstrumentedAttribute[Any]) -> list[Any]:
    return list(db.scalars(sa.select(column).order_by(column)))


def test_what_is_handed_over_just_then_is_taken_back_too(emptied: sa.Engine) -> None:
    with unit_of_work() as db:
        ada = factories.user(db, "ada@example.org")
        preferences.choose(db, ada.id, Topic.TASKS, ["email"], WAYS)
        talk = _held(db, ada)
        quiet_hours.choose(ada, None, None)
        db.execute(sa.update(Notification).values(ready_at=sa.func.clock_timestamp()))

    def _delete() -> None:
        with unit_of_work() as db:
            acts.delete(db, db.get_one(User, ada.id), talk.id, StreamPublisher())

    with open_session() as clock, ThreadPoolExecutor(1) as pool:
        assert notifications.dispatch_next(clock)
        deleting = pool.submit(_delete)
        wait_for_waiter(emptied)
        clock.commit()
        deleting.result(10)
    with unit_of_work() as db:
        assert _states(db, Email.status) == [EmailStatus.FAILED]
        assert _states(db, Email.text_body) == [""]


def test_who_deletes_a_conversation_takes_back_a_mail_of_several(
    db: Session, ada: User, adjust: Callable[..., None]
) -> None:
    adjust(NOTIFICATION_MAILS_A_DAY="1")
    remind(db, ada)
    for number in range(3):
        remind(db, ada, f"Secret clinic {number}")
    a_day_later(db)
    assert notifications.dispatch_next(db)
    assert "emails" in scanning.tables_with(db, ["clinic"])
    last = db.scalars(sa.select(Notification).order_by(Notification.id.desc()).limit(1)).one()
    message = db.get_one(Message, last.message_id)

    conversations.erase(db, db.get_one(Conversation, message.conversation_id))

    assert "emails" not in scanning.tables_with(db, ["clinic"])
