"""Reminders fire once for each due time, in their conversation and on messengers, at no cost."""

import threading
import time
from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
import sqlalchemy as sa
from sqlalchemy import select
from sqlalchemy.orm import Session

from actions import reminders as firing_action
from gateways.event_streams import Streams
from gateways.live_events import MessageAdded
from models import database
from models.base import utc_now
from models.chat import conversations
from models.database import open_session, unit_of_work
from models.ledger import drift
from models.reminders import queries, reminders
from models.schema.chat import Conversation, Message, Role
from models.schema.reminders import Reminder, ReminderFiring, ReminderStatus, Repeats
from models.schema.users import User
from tests import factories
from tests.models.reminders.making import made, make_due


@pytest.fixture(autouse=True)
def live(redis_url: str) -> Generator[Streams]:
    """The events of this test."""
    firing_action.wakeups.streams.cache_clear()
    firing_action.wakeups.wake_queue.cache_clear()
    yield Streams(redis_url)
    firing_action.wakeups.streams.cache_clear()
    firing_action.wakeups.wake_queue.cache_clear()


def fire_due(db: Session | None = None) -> int:
    """Let a clock fire what is due, and look at the rows anew."""
    fired = firing_action.fire_due()
    if db is not None:
        db.expire_all()
    return fired


def _said(db: Session, user: User) -> list[str]:
    wanted = select(Message.text).where(Message.user_id == user.id, Message.role == Role.ASSISTANT)
    return list(db.scalars(wanted.order_by(Message.id)))


def test_it_is_said_where_it_was_asked_for_and_once(db: Session, ada: User) -> None:
    talk = factories.conversation(db, ada)
    reminder = made(db, ada, "Call *mum* <b>", conversation_id=talk.id)
    make_due(db, reminder)
    assert (fire_due(db), fire_due(db)) == (1, 0)
    message = db.scalars(select(Message).where(Message.conversation_id == talk.id)).one()
    assert message.text == "**Reminder:** Call \\*mum\\* \\<b\\>"
    assert message.html == "<p>Call *mum* &lt;b&gt;</p>"
    assert (message.job_id, reminder.status) == (None, ReminderStatus.ENDED)
    assert drift(db, ada.id) == 0


def test_it_works_without_any_credit(db: Session, ada: User) -> None:
    ada.credits_balance_micros = ada.credits_promotional_micros = 0
    make_due(db, made(db, ada))
    assert fire_due(db) == 1
    assert _said(db, ada) == ["**Reminder:** Call mum"]


def test_what_is_not_due_yet_waits(db: Session, ada: User) -> None:
    made(db, ada)
    assert fire_due(db) == 0


def test_what_was_cancelled_or_paused_never_fires(db: Session, ada: User) -> None:
    for change in (reminders.cancel, reminders.pause, reminders.skip):
        reminder = made(db, ada)
        make_due(db, reminder)
        change(db, reminder)
    assert fire_due(db) == 0


def test_what_repeats_is_due_again(db: Session, ada: User) -> None:
    reminder = made(db, ada, repeats=Repeats.DAILY)
    due = make_due(db, reminder)
    assert fire_due(db) == 1
    assert reminder.status is ReminderStatus.ACTIVE
    assert reminder.due_at
    assert timedelta(hours=22) < reminder.due_at - due < timedelta(hours=26)


def test_a_late_one_says_how_late(db: Session, ada: User) -> None:
    make_due(db, made(db, ada), timedelta(minutes=150))
    fire_due(db)
    assert "2 hours ago" in _said(db, ada)[0].replace("\\", "")


def test_what_was_missed_while_all_was_down_is_said_once(db: Session, ada: User) -> None:
    reminder = made(db, ada, repeats=Repeats.DAILY)
    make_due(db, reminder, timedelta(days=4, hours=3))
    assert (fire_due(db), fire_due(db)) == (1, 0)
    (said,) = _said(db, ada)
    assert "due 4 more times" in said.replace("\\", "")
    assert reminder.due_at
    assert reminder.due_at > utc_now()


def test_a_snoozed_one_comes_again_and_keeps_its_times(db: Session, ada: User) -> None:
    reminder = made(db, ada, repeats=Repeats.DAILY)
    make_due(db, reminder)
    fire_due(db)
    regular = reminder.scheduled_at
    reminders.snooze(db, reminder, database.clock(db) + timedelta(minutes=10))
    firing = db.scalars(select(ReminderFiring)).one()
    assert firing.done_at is not None
    reminder.snoozed_until = reminder.due_at = utc_now() - timedelta(seconds=1)
    db.flush()
    assert fire_due(db) == 1
    assert (reminder.due_at, reminder.snoozed_until) == (regular, None)


def test_one_that_was_made_by_hand_comes_in_a_conversation_of_its_own(
    db: Session, ada: User
) -> None:
    for _ in range(2):
        make_due(db, made(db, ada))
        assert fire_due(db) == 1
    talks = db.scalars(select(Conversation).where(Conversation.user_id == ada.id)).all()
    assert [talk.title for talk in talks] == ["Reminders"]
    assert len(_said(db, ada)) == 2


def test_it_outlives_its_conversation(db: Session, ada: User) -> None:
    talk = factories.conversation(db, ada)
    reminder = made(db, ada, conversation_id=talk.id)
    conversations.erase(db, talk)
    make_due(db, reminder)
    assert fire_due(db) == 1
    message = db.scalars(select(Message)).one()
    assert message.conversation_id != talk.id


def test_open_pages_hear_of_it(db: Session, ada: User, live: Streams) -> None:
    make_due(db, made(db, ada))
    fire_due(db)
    message = db.scalars(select(Message)).one()
    assert [event.payload for event in live.read(message.id)] == [MessageAdded()]


def _many(count: int, of_each: int = 1) -> None:
    """Users with a conversation each, whose reminders are all due now."""
    with unit_of_work() as db:
        first = factories.user(db, "many@example.org")
        talk = factories.conversation(db, first)
        pattern = made(db, first, conversation_id=talk.id)
        make_due(db, pattern)
        given = {"first": first.id, "talk": talk.id, "pattern": pattern.id, "count": count}
        columns = [c.name for c in User.__table__.columns if c.name not in ("id", "email")]
        listed = ", ".join(f'"{name}"' for name in columns)
        db.execute(
            sa.text(f"""
                INSERT INTO users (id, email, {listed})
                SELECT gen_random_uuid(), n || '@example.org', {listed}
                FROM users, generate_series(1, :count) AS n WHERE id = :first
            """),
            given,
        )
        db.execute(
            sa.text("""
                INSERT INTO conversations (id, user_id)
                SELECT gen_random_uuid(), id FROM users WHERE id <> :first
            """),
            given,
        )
        rest = [c.name for c in Reminder.__table__.columns]
        rest = [n for n in rest if n not in ("id", "user_id", "conversation_id", "number")]
        listed = ", ".join(f'r."{name}"' for name in rest)
        into = ", ".join(f'"{name}"' for name in rest)
        db.execute(
            sa.text(f"""
                INSERT INTO reminders (id, user_id, conversation_id, number, {into})
                SELECT gen_random_uuid(), c.user_id, c.id, n, {listed}
                FROM conversations c, reminders r, generate_series(1, :each) AS n
                WHERE c.user_id <> :first AND r.id = :pattern
            """),
            given | {"each": of_each},
        )
        reminders.delete(db, db.get_one(Reminder, pattern.id))


def _count_fired() -> tuple[int, int]:
    with open_session() as db:
        messages = db.scalar(sa.text("SELECT count(*) FROM messages"))
        firings = db.scalar(sa.text("SELECT count(*) FROM reminder_firings"))
    return int(messages or 0), int(firings or 0)


@pytest.mark.usefixtures("emptied")
def test_clocks_at_the_same_time_fire_each_once() -> None:
    _many(60, of_each=3)
    with ThreadPoolExecutor(4) as clocks:
        fired = sum(clocks.map(firing_action.fire_due, [20] * 24))
    while more := fire_due():
        fired += more
    assert fired == 180
    assert _count_fired() == (180, 180)


class _Killed(BaseException):
    """The process dies here."""


@pytest.mark.usefixtures("emptied")
@pytest.mark.parametrize("step", ["fire", "send", "publish"])
def test_a_clock_that_dies_at_any_step_fires_each_once(
    step: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    _many(5)
    where = firing_action.firing if step == "fire" else firing_action
    whole = getattr(where, step)

    def dying(*args: object, **kwargs: object) -> None:
        whole(*args, **kwargs)
        raise _Killed

    with monkeypatch.context() as patched:
        patched.setattr(where, step, dying)
        with pytest.raises(_Killed):
            fire_due()
    is_committed = step == "publish"
    assert _count_fired()[0] == (5 if is_committed else 0)
    assert fire_due() == (0 if is_committed else 5)
    assert _count_fired() == (5, 5)


@pytest.mark.usefixtures("emptied")
def test_what_is_being_cancelled_does_not_fire_meanwhile() -> None:
    _many(1)
    cancelling, may_end = threading.Event(), threading.Event()

    def cancel() -> None:
        with unit_of_work() as db:
            found = db.scalars(select(Reminder)).one()
            reminders.cancel(db, queries.find_own(db, found.user_id, found.id))
            cancelling.set()
            may_end.wait(10)

    with ThreadPoolExecutor(1) as other:
        done = other.submit(cancel)
        assert cancelling.wait(10)
        assert fire_due() == 0
        may_end.set()
        done.result()
    assert fire_due() == 0


@pytest.mark.usefixtures("emptied")
def test_a_conversation_that_is_busy_holds_nobody_up() -> None:
    _many(2)
    with unit_of_work() as db:
        busy = db.scalars(select(Conversation).where(Conversation.title == "").limit(1)).one()
        db.refresh(busy, with_for_update=True)
        assert fire_due() in (1, 2)
    while fire_due():
        pass
    assert _count_fired() == (2, 2)


@pytest.mark.long
@pytest.mark.usefixtures("emptied")
def test_ten_thousand_that_are_due_at_once_fire_within_a_minute() -> None:
    _many(10_000)
    began = time.monotonic()
    fired = 0
    while more := fire_due():
        fired += more
    seconds = time.monotonic() - began
    assert (fired, _count_fired()) == (10_000, (10_000, 10_000))
    assert seconds < 60


def test_the_assistant_hears_what_fired_since_the_message_before(db: Session, ada: User) -> None:
    first = factories.job(db, ada)
    talk = first.conversation_id
    for words in ("Call mum", "Water the plants"):
        make_due(db, made(db, ada, words, conversation_id=talk))
        assert fire_due(db) == 1
    conversation = conversations.find_own(db, ada.id, talk)
    answering = conversations.say(db, conversation, Role.USER, "Done!")
    later = conversations.say(db, conversation, Role.USER, "And now?")
    heard = queries.list_fired_before(db, answering)
    assert [one.words for one in heard] == ["Call mum", "Water the plants"]
    assert queries.list_fired_before(db, later) == []
