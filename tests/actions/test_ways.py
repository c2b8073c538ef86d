"""Each kind of notification by each way, what happens where a way is gone, and so many mails."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from actions import notifications
from models.base import utc_now
from models.channels import accounts
from models.channels.accounts import mark_blocked
from models.database import unit_of_work
from models.notifications import held, preferences, quiet_hours, subscriptions
from models.notifications.subscriptions import Keys
from models.people import sessions
from models.periods import day_of, zone_of
from models.schema.channels import ChannelAccount, Delivery, DeliveryStatus
from models.schema.chat import Conversation
from models.schema.emails import Email
from models.schema.notifications import Notification, Push, PushStatus, PushSubscription, Topic
from models.schema.users import User
from tests import factories
from tests.actions.telling import WAYS, a_day_later, be_quiet, remind, tell
from tests.channels.pigeon import Pigeon
from tests.push_service import PushService


def told(db: Session) -> dict[str, int]:
    """How often something went out, by its way."""
    counted = {"email": sa.select(Email.id), "push": sa.select(Push.id)}
    found = {way: len(db.scalars(rows).all()) for way, rows in counted.items()}
    for channel in db.scalars(sa.select(Delivery.channel)):
        found[channel] = found.get(channel, 0) + 1
    return {way: times for way, times in found.items() if times}


def look(db: Session, *, after: timedelta = timedelta(0)) -> None:
    """Let the clock look after all that is due, so long after it was handed over."""
    moved = {"handed_over_at": Notification.handed_over_at - after}
    db.execute(sa.update(Notification).values(ready_at=sa.func.clock_timestamp(), **moved))
    for _ in range(20):
        notifications.dispatch_next(db)
    db.expire_all()


def is_over(db: Session) -> bool:
    held_yet = sa.select(Notification.id).where(Notification.dispatched_at.is_(None))
    return db.scalar(held_yet) is None


@pytest.mark.usefixtures("phone", "messenger")
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("topic", Topic)
def test_each_kind_goes_the_way_that_was_chosen_for_it(
    db: Session, ada: User, topic: Topic, way: str
) -> None:
    preferences.choose(db, ada.id, topic, [way], WAYS)
    for other in set(Topic) - {topic}:
        preferences.choose(db, ada.id, other, set(WAYS) - {way}, WAYS)
    if topic is Topic.REMINDERS:
        remind(db, ada)
    else:
        tell(db, ada, topic)
    assert told(db) == {way: 1}


@pytest.mark.usefixtures("phone", "messenger")
@pytest.mark.parametrize(
    ("topic", "usual"),
    [
        (Topic.REMINDERS, {"push": 1, "telegram": 1}),
        (Topic.TASKS, {"push": 1, "telegram": 1}),
        (Topic.ALERTS, {"email": 1}),
        (Topic.LONG_WORK, {"push": 1}),
    ],
)
def test_who_has_not_chosen_is_told_as_usual(
    db: Session, ada: User, topic: Topic, usual: dict[str, int]
) -> None:
    tell(db, ada, topic)
    assert told(db) == usual


@pytest.mark.usefixtures("messenger")
def test_a_messenger_that_is_linked_later_follows_what_is_usual(db: Session, ada: User) -> None:
    preferences.choose(db, ada.id, Topic.REMINDERS, ["email"], WAYS)
    accounts.link(db, ada.id, Pigeon.name, "1", "1", "Ada")
    remind(db, ada)
    assert told(db) == {"email": 1, Pigeon.name: 1}
    preferences.choose(db, ada.id, Topic.REMINDERS, [], (*WAYS, Pigeon.name))
    remind(db, ada)
    assert told(db) == {"email": 1, Pigeon.name: 1}


def test_a_reminder_says_the_same_by_each_way(
    db: Session, ada: User, phone: PushSubscription, messenger: ChannelAccount
) -> None:
    assert phone
    assert messenger
    preferences.choose(db, ada.id, Topic.REMINDERS, WAYS, WAYS)
    remind(db, ada, "Call *mum* <b>")
    mail = db.scalars(sa.select(Email)).one()
    assert mail.subject == "Reminder: Call *mum* <b>"
    assert "Call *mum* &lt;b&gt;" in mail.html_body
    push, talk = db.scalars(sa.select(Push)).one(), db.scalars(sa.select(Conversation)).one()
    assert push.content is not None
    assert (push.content["title"], push.content["text"]) == ("Reminder", "Call *mum* <b>")
    assert push.content["url"].endswith(f"/chat/{talk.id}")
    said = db.scalars(sa.select(Delivery)).one()
    assert said.content["text"] == "**Reminder:** Call \\*mum\\* \\<b\\>"
    assert len(said.content["rows"]) == 2


def test_a_reminder_that_no_way_can_bring_is_mailed(
    db: Session, ada: User, messenger: ChannelAccount
) -> None:
    remind(db, ada)
    assert told(db) == {"telegram": 1}
    accounts.unlink(db, messenger)
    remind(db, ada)
    assert told(db) == {"telegram": 1, "email": 1}
    preferences.choose(db, ada.id, Topic.REMINDERS, [], WAYS)
    remind(db, ada)
    assert told(db) == {"telegram": 1, "email": 1}


def test_what_was_taken_is_not_mailed(
    db: Session, ada: User, phone: PushSubscription, messenger: ChannelAccount
) -> None:
    assert phone
    remind(db, ada)
    db.execute(sa.update(Delivery).values(status=DeliveryStatus.SENT, finished_at=utc_now()))
    mark_blocked(db, messenger.channel, messenger.account_id)
    look(db)
    assert "email" not in told(db)
    assert is_over(db)
    assert db.scalars(sa.select(Notification.content)).all() == [None]


@pytest.mark.parametrize("topic", Topic)
def test_what_was_refused_after_all_is_mailed_once(
    db: Session, ada: User, phone: PushSubscription, messenger: ChannelAccount, topic: Topic
) -> None:
    preferences.choose(db, ada.id, topic, ["push", "telegram"])
    tell(db, ada, topic)
    look(db)
    assert told(db) == {"push": 1, "telegram": 1}
    mark_blocked(db, messenger.channel, messenger.account_id)
    subscriptions.remove(db, phone.id)
    look(db)
    assert told(db) == {"email": 1, "telegram": 1}
    look(db)
    assert told(db)["email"] == 1
    assert is_over(db)


def test_nobody_waits_for_a_push_service_that_is_away(
    db: Session, ada: User, phone: PushSubscription
) -> None:
    assert phone
    tell(db, ada, Topic.REMINDERS)
    look(db, after=held.PATIENCE - timedelta(minutes=1))
    assert told(db) == {"push": 1}
    look(db, after=timedelta(minutes=2))
    assert told(db) == {"push": 1, "email": 1}
    # It comes there too, once that is back.
    assert db.scalars(sa.select(Push.status)).one() is PushStatus.WAITING
    assert is_over(db)


def test_nothing_that_somebody_wrote_goes_to_an_address_of_nobodys(
    db: Session, ada: User, adjust: Callable[..., None]
) -> None:
    adjust(VERIFY_EMAIL="true")
    ada.email_verified_at = None
    remind(db, ada)
    preferences.choose(db, ada.id, Topic.TASKS, ["email"])
    tell(db, ada, Topic.TASKS)
    assert told(db) == {}
    assert is_over(db)
    tell(db, ada, Topic.ALERTS, "two")
    assert told(db) == {"email": 1}


@pytest.mark.usefixtures("phone", "messenger")
@pytest.mark.parametrize("topic", Topic)
def test_reminders_alone_come_in_quiet_hours(db: Session, ada: User, topic: Topic) -> None:
    be_quiet(ada)
    tell(db, ada, topic)
    assert bool(told(db)) is (topic is Topic.REMINDERS)
    quiet_hours.choose(ada, None, None)
    look(db)
    assert told(db)


def _set_clock(monkeypatch: pytest.MonkeyPatch, at: datetime) -> None:
    def _clock(_: Session) -> datetime:
        return at

    monkeypatch.setattr(notifications, "clock", _clock)


@pytest.mark.parametrize(
    ("now", "ends"),
    [
        # The night in which clocks go back is an hour longer, the one in spring an hour shorter.
        ("2026-10-24 21:30", "2026-10-25 06:00"),
        ("2026-03-28 21:30", "2026-03-29 05:00"),
    ],
)
def test_a_night_in_which_clocks_change_ends_by_the_users_clock(
    db: Session, ada: User, monkeypatch: pytest.MonkeyPatch, now: str, ends: str
) -> None:
    begins = datetime.fromisoformat(now).replace(tzinfo=UTC)
    _set_clock(monkeypatch, begins)
    ada.timezone = "Europe/Berlin"
    quiet_hours.choose(ada, 22 * 60, 7 * 60)
    tell(db, ada, Topic.TASKS)
    waiting = db.scalars(sa.select(Notification)).one()
    assert waiting.ready_at == datetime.fromisoformat(ends).replace(tzinfo=UTC)
    # A minute before their end it is still night, at it no more.
    morning = waiting.ready_at
    for at, mails in ((morning - timedelta(minutes=1), 0), (morning, 1)):
        _set_clock(monkeypatch, at)
        db.execute(sa.update(Notification).values(ready_at=begins))
        assert notifications.dispatch_next(db)
        assert told(db).get("email", 0) == mails


def test_what_is_refused_in_quiet_hours_is_mailed_after_them(
    db: Session, ada: User, phone: PushSubscription
) -> None:
    tell(db, ada, Topic.TASKS)
    subscriptions.remove(db, phone.id)
    be_quiet(ada)
    look(db)
    assert told(db) == {}
    quiet_hours.choose(ada, None, None)
    look(db)
    assert told(db) == {"email": 1}


def test_beyond_the_mails_of_a_day_the_rest_is_one_mail_the_next_day(
    db: Session, ada: User, adjust: Callable[..., None]
) -> None:
    adjust(NOTIFICATION_MAILS_A_DAY="2")
    for number in range(6):
        remind(db, ada, f"Water plant {number}")
    # Money waits for nothing.
    tell(db, ada, Topic.ALERTS)
    assert told(db) == {"email": 3}
    collected = sa.select(Notification).where(Notification.collected_at.is_not(None))
    waiting = db.scalars(collected).all()
    assert len(waiting) == 4
    (ends,) = {one.ready_at for one in waiting}
    assert ends == day_of(ada.timezone, utc_now()).ends
    assert not notifications.dispatch_next(db)

    a_day_later(db)
    assert notifications.dispatch_next(db)
    assert not notifications.dispatch_next(db)
    mail = db.scalars(sa.select(Email).order_by(Email.id.desc()).limit(1)).one()
    assert mail.subject == "4 more notifications"
    assert [f"Water plant {number}" in mail.text_body for number in range(6)] == [
        *(False, False),
        *(True, True, True, True),
    ]
    assert told(db) == {"email": 4}
    assert is_over(db)
    # It was one of the two of that day.
    for number in range(2):
        remind(db, ada, f"Again {number}")
    assert told(db) == {"email": 5}


def test_a_collected_mail_waits_for_the_end_of_quiet_hours(
    db: Session, ada: User, adjust: Callable[..., None]
) -> None:
    adjust(NOTIFICATION_MAILS_A_DAY="1")
    quiet_hours.choose(ada, 23 * 60, 7 * 60)
    for _ in range(2):
        remind(db, ada)
    collected = sa.select(Notification.ready_at).where(Notification.collected_at.is_not(None))
    waits_until = db.scalars(collected).one().astimezone(zone_of(ada.timezone))
    assert (waits_until.hour, waits_until.minute) == (7, 0)
    assert waits_until.date() > utc_now().astimezone(zone_of(ada.timezone)).date()


@pytest.mark.usefixtures("emptied")
def test_those_who_mail_at_once_keep_to_the_bound(adjust: Callable[..., None]) -> None:
    adjust(NOTIFICATION_MAILS_A_DAY="3")
    with unit_of_work() as db:
        user_id = factories.user(db, "grace@example.org").id
    numbers = iter(range(100))

    def _tell() -> None:
        with unit_of_work() as db:
            tell(db, db.get_one(User, user_id), Topic.REMINDERS, f"one:{next(numbers)}")

    assert factories.in_parallel(4, lambda: [_tell() for _ in range(3)]) == [None] * 4
    with unit_of_work() as db:
        assert told(db) == {"email": 3}
        waiting = db.scalars(sa.select(Notification).where(Notification.collected_at.is_not(None)))
        assert len(waiting.all()) == 9


@pytest.mark.usefixtures("emptied")
def test_clocks_that_look_at_once_mail_each_once(push_service: PushService) -> None:
    with unit_of_work() as db:
        user = factories.user(db, "grace@example.org")
        session = sessions.open_for(db, user, "a phone")
        phone = subscriptions.subscribe(db, session, Keys(**push_service.device().as_form()))
        for number in range(12):
            tell(db, user, Topic.REMINDERS, f"one:{number}")
        subscriptions.remove(db, phone.id)
        db.execute(sa.update(Notification).values(ready_at=sa.func.now()))

    def _look() -> None:
        for _ in range(12):
            with unit_of_work() as db:
                notifications.dispatch_next(db)

    assert factories.in_parallel(3, _look) == [None] * 3
    with unit_of_work() as db:
        assert told(db) == {"email": 12}
        assert is_over(db)
