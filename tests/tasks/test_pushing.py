"""Pushing: what is due goes out once, what fails is tried again, and who is gone is forgotten."""

from datetime import timedelta

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session
from structlog.testing import capture_logs

from actions import wakeups
from gateways.web_push import PushSender
from models.database import clock, unit_of_work
from models.notifications import pushes, subscriptions
from models.notifications.subscriptions import Keys
from models.people import sessions
from models.schema.notifications import Push, PushStatus, PushSubscription
from models.schema.users import User
from settings import get_settings
from tasks import pushing, upkeep
from tests import factories
from tests.push_service import Device, PushService

NEWS = {"title": "Your answer is ready", "text": "At last.", "url": "http://here.example/chat/1"}


def subscribe(db: Session, user: User, service: PushService) -> tuple[PushSubscription, Device]:
    device = service.device()
    session = sessions.open_for(db, user, "a phone")
    return subscriptions.subscribe(db, session, Keys(**device.as_form())), device


def queue(db: Session, to: PushSubscription, reference: str = "answered:1") -> None:
    pushes.queue(db, to, NEWS, reference=reference)


def send_next() -> bool:
    return pushing.send_next(PushSender(get_settings()))


def only_push(db: Session) -> Push:
    return db.scalars(sa.select(Push).execution_options(populate_existing=True)).one()


def make_due(db: Session) -> None:
    db.execute(sa.update(Push).values(next_try_at=sa.func.clock_timestamp()))


def test_what_is_due_is_sent_once(db: Session, ada: User, push_service: PushService) -> None:
    phone, device = subscribe(db, ada, push_service)
    for _ in range(2):
        queue(db, phone)
    with capture_logs() as lines:
        assert send_next()
        assert not send_next()

    assert push_service.shown(device) == [{**NEWS, "tag": "answered:1"}]
    push = only_push(db)
    assert (push.status, push.content) == (PushStatus.SENT, None)
    db.refresh(phone)
    assert phone.last_used_at is not None
    assert device.endpoint not in str(lines)


@pytest.mark.parametrize("status", [404, 410])
def test_a_browser_that_is_gone_is_forgotten(
    db: Session, ada: User, push_service: PushService, status: int
) -> None:
    phone, _ = subscribe(db, ada, push_service)
    _, tablet = subscribe(db, ada, push_service)
    queue(db, phone)
    push_service.be(status)
    send_next()
    left = db.scalars(sa.select(PushSubscription.endpoint)).all()
    assert left == [tablet.endpoint]
    assert db.scalars(sa.select(Push)).all() == []


def test_one_that_cannot_be_sent_just_now_is_sent_later(
    db: Session, ada: User, push_service: PushService
) -> None:
    phone, device = subscribe(db, ada, push_service)
    queue(db, phone)
    push_service.be(503)
    send_next()
    assert not send_next()
    assert only_push(db).status is PushStatus.WAITING

    push_service.be(201)
    make_due(db)
    send_next()
    assert len(push_service.shown(device)) == 2
    # The second takes the place of the first.
    assert len({received.headers["topic"] for received in push_service.received}) == 1
    assert only_push(db).status is PushStatus.SENT


def test_a_push_service_says_how_long_to_wait(
    db: Session, ada: User, push_service: PushService
) -> None:
    phone, _ = subscribe(db, ada, push_service)
    queue(db, phone)
    push_service.be(429, Retry_After="600")
    send_next()
    wait = only_push(db).next_try_at
    assert wait is not None
    assert timedelta(minutes=9) < wait - clock(db) < timedelta(minutes=11)


def test_waits_grow_and_old_news_is_given_up(
    db: Session, ada: User, push_service: PushService
) -> None:
    waits = [pushes.retry_delay(attempts).total_seconds() for attempts in (1, 2, 3, 30)]
    assert waits == [10, 20, 40, 3600]
    phone, _ = subscribe(db, ada, push_service)
    queue(db, phone)
    db.execute(sa.update(Push).values(created_at=Push.created_at - pushes.GIVEN_UP_AFTER))
    push_service.be(500)
    send_next()
    push = only_push(db)
    assert (push.status, push.content) == (PushStatus.FAILED, None)
    db.refresh(phone)
    assert phone.failures == 1


def test_what_is_refused_for_good_is_not_sent_again(
    db: Session, ada: User, push_service: PushService
) -> None:
    phone, _ = subscribe(db, ada, push_service)
    push_service.be(400)
    for number in range(subscriptions.MOST_FAILURES):
        queue(db, phone, f"answered:{number}")
        send_next()
        assert PushStatus.WAITING not in db.scalars(sa.select(Push.status)).all()
    assert db.scalars(sa.select(PushSubscription)).all() == []
    assert len(push_service.received) == subscriptions.MOST_FAILURES


def test_nothing_is_shown_where_its_user_has_logged_out(
    db: Session, ada: User, eve: User, push_service: PushService
) -> None:
    phone, device = subscribe(db, ada, push_service)
    other, eves = subscribe(db, eve, push_service)
    queue(db, phone)
    queue(db, other)
    sessions.revoke(db, ada.id, phone.session_id)
    assert send_next()
    assert not send_next()
    assert push_service.shown(device) == []
    assert len(push_service.shown(eves)) == 1


def test_a_late_sender_writes_nothing_down(
    db: Session, ada: User, push_service: PushService
) -> None:
    phone, _ = subscribe(db, ada, push_service)
    queue(db, phone)
    late = pushes.claim_next(db, timedelta(0))
    assert late
    assert pushes.claim_next(db, timedelta(minutes=1))
    pushes.mark_sent(db, late)
    pushes.give_up(db, late, "no")
    assert not pushes.put_off(db, late, "no")
    assert only_push(db).status is PushStatus.WAITING


def test_many_senders_send_each_once(emptied: sa.Engine, push_service: PushService) -> None:
    assert emptied
    with unit_of_work() as db:
        phone, device = subscribe(db, factories.user(db, "ada@example.org"), push_service)
        for number in range(12):
            queue(db, phone, f"answered:{number}")

    def _send_all() -> None:
        while send_next():
            pass

    assert factories.in_parallel(4, _send_all) == [None] * 4
    tags = sorted(shown["tag"] for shown in push_service.shown(device))
    assert tags == sorted(f"answered:{number}" for number in range(12))


def test_the_clock_tells_the_workers_of_pushes_that_wait(
    db: Session, ada: User, push_service: PushService, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[str] = []
    monkeypatch.setattr(wakeups, "pushes", lambda: told.append("pushes"))
    phone, device = subscribe(db, ada, push_service)
    upkeep.sweep()
    assert told == []
    queue(db, phone)
    upkeep.sweep()
    assert told == ["pushes"]
    pushing.send_pushes()
    upkeep.sweep()
    assert told == ["pushes"]
    assert len(push_service.shown(device)) == 1
