"""An answer that took long is told to a user who was not watching, and to nobody else."""

from collections.abc import Callable, Generator
from datetime import timedelta

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from actions import long_work, wakeups
from gateways.event_streams import Streams
from models import jobs
from models.base import new_id, utc_now
from models.channels import accounts, deliveries
from models.chat import conversations
from models.notifications import preferences
from models.schema.chat import Conversation
from models.schema.emails import Email, EmailKind
from models.schema.failure_codes import FailureCode
from models.schema.jobs import Job, JobOrigin
from models.schema.notifications import Notification, Topic
from models.schema.users import User
from tests import factories
from tests.house import wait_for
from webapp.core.live import RESYNC, Hub


@pytest.fixture
def hub(redis_url: str) -> Generator[Hub]:
    """What the live streams of a web process hear with."""
    wakeups.streams.cache_clear()
    hub = Hub(Streams(redis_url))
    yield hub
    hub.close()


def answered(db: Session, user: User, seconds: int) -> Job:
    """A message that was answered so long after it had been sent; who is told, is by mail."""
    preferences.choose(db, user.id, Topic.LONG_WORK, ["email"])
    job = factories.running(db, user)
    db.execute(sa.update(Job).values(created_at=utc_now() - timedelta(seconds=seconds)))
    factories.answer(db, job)
    return job


def test_a_conversation_is_watched_as_long_as_a_stream_is_open(hub: Hub) -> None:
    conversation, other = new_id(), new_id()
    assert long_work.is_unwatched(conversation)
    with hub.listening(conversation) as listener:
        assert listener.next(5.0) is RESYNC
        assert not long_work.is_unwatched(conversation)
        assert long_work.is_unwatched(other)
        with hub.listening(conversation):
            pass
        assert not long_work.is_unwatched(conversation)
    wait_for(lambda: long_work.is_unwatched(conversation), "nobody to watch", seconds=10)


def test_without_valkey_nobody_can_be_watching(adjust: Callable[..., None]) -> None:
    adjust(REDIS_URL="redis://127.0.0.1:9/0")
    wakeups.streams.cache_clear()
    assert long_work.is_unwatched(new_id())
    wakeups.streams.cache_clear()


def test_it_is_told_once_without_anybodys_words(db: Session, ada: User) -> None:
    job = answered(db, ada, 200)
    conversations.rename(db.get_one(Conversation, job.conversation_id), "My divorce")
    for _ in range(2):
        long_work.tell_over(db, job.id)

    mail = db.scalars(sa.select(Email)).one()
    assert (mail.kind, mail.subject) == (EmailKind.LONG_WORK, "Your answer is ready")
    assert "It took 3 minutes." in mail.text_body
    assert f"/chat/{job.conversation_id}" in mail.text_body
    assert "divorce" not in mail.text_body
    assert "Done." not in mail.text_body


def test_what_was_quick_is_told_nobody(db: Session, ada: User) -> None:
    long_work.tell_over(db, answered(db, ada, 50).id)
    assert db.scalars(sa.select(Notification)).all() == []


def test_how_long_is_long_is_a_setting(db: Session, ada: User, adjust: Callable[..., None]) -> None:
    adjust(LONG_WORK_SECONDS="5")
    long_work.tell_over(db, answered(db, ada, 20).id)
    assert "It took less than a minute." in db.scalars(sa.select(Email.text_body)).one()


def test_where_a_messenger_has_the_answer_nothing_is_told_beside_it(db: Session, ada: User) -> None:
    job = answered(db, ada, 200)
    account = accounts.link(db, ada.id, "telegram", "4711", "4711", "Ada")
    deliveries.expect_answer(db, account, job)
    long_work.tell_over(db, job.id)
    assert db.scalars(sa.select(Notification)).all() == []

    # It was blocked: the answer does not get there.
    accounts.mark_blocked(db, "telegram", "4711")
    long_work.tell_over(db, job.id)
    assert len(db.scalars(sa.select(Email)).all()) == 1


def test_an_answer_that_failed_is_told_too(db: Session, ada: User) -> None:
    preferences.choose(db, ada.id, Topic.LONG_WORK, ["email"])
    job = factories.running(db, ada)
    db.execute(sa.update(Job).values(created_at=utc_now() - timedelta(minutes=9)))
    jobs.fail(db, job, FailureCode.PROVIDER_DOWN)
    long_work.tell_over(db, job.id)
    assert db.scalars(sa.select(Email.subject)).one() == "Your answer could not be finished"


def test_a_deleted_conversation_has_no_answer_to_read(db: Session, ada: User) -> None:
    job = answered(db, ada, 200)
    conversations.erase(db, db.get_one(Conversation, job.conversation_id))
    long_work.tell_over(db, job.id)
    assert db.scalars(sa.select(Notification)).all() == []


def test_what_came_of_a_task_is_told_as_such_and_not_twice(db: Session, ada: User) -> None:
    job = answered(db, ada, 200)
    job.origin = JobOrigin.TASK
    long_work.tell_over(db, job.id)
    assert db.scalars(sa.select(Notification)).all() == []


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (80, "It took a minute."),
        (7_100, "It took 118 minutes."),
        (7_200, "It took 2 hours."),
        (200_000, "It took 56 hours."),
    ],
)
def test_how_long_it_took_is_said_in_words(
    db: Session, ada: User, seconds: int, words: str
) -> None:
    long_work.tell_over(db, answered(db, ada, seconds).id)
    assert words in db.scalars(sa.select(Email.text_body)).one()
