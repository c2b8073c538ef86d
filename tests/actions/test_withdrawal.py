"""What is deleted is told nobody any more, and no outbox keeps a word of it."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import InstrumentedAttribute, Session

from actions import conversations as acts
from actions import notifications
from actions.announcements import StreamPublisher
from actions.tellings import Telling
from models.chat import conversations
from models.database import open_session, unit_of_work
from models.notifications import preferences, quiet_hours
from models.schema.channels import Delivery, DeliveryStatus
from models.schema.chat import Conversation, Message, Role
from models.schema.emails import Email, EmailKind, EmailStatus
from models.schema.notifications import Notification, Push, PushStatus, Topic
from models.schema.users import User
from tests import factories, scanning
from tests.actions.telling import LETTER, WAYS, a_day_later, be_quiet, remind, tell
from tests.locks import wait_for_waiter


def test_who_deletes_a_conversation_takes_back_what_waits(db: Session, ada: User) -> None:
    be_quiet(ada)
    talk = factories.conversation(db, ada)
    message = conversations.say(db, talk, Role.ASSISTANT, "A secret.")
    db.flush()
    told_of = Telling(ada, Topic.TASKS, LETTER, "one", message_id=message.id)
    notifications.notify_all(db, [told_of])
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


def _states(db: Session, column: InstrumentedAttribute[Any]) -> list[Any]:
    return list(db.scalars(sa.select(column).order_by(column)))


def test_what_is_handed_over_just_then_is_taken_back_too(emptied: sa.Engine) -> None:
    with unit_of_work() as db:
        ada = factories.user(db, "ada@example.org")
        preferences.choose(db, ada.id, Topic.TASKS, ["email"], WAYS)
        be_quiet(ada)
        talk = factories.conversation(db, ada)
        message = conversations.say(db, talk, Role.ASSISTANT, "A secret.")
        db.flush()
        told_of = Telling(ada, Topic.TASKS, LETTER, "one", message_id=message.id)
        notifications.notify_all(db, [told_of])
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
