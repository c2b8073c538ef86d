"""The outbox of chats: one at a time in each lane, nobody else's while claimed, never lost."""

from datetime import timedelta

import pytest
import sqlalchemy as sa
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from models.base import utc_now
from models.channels import accounts, deliveries, delivery_claims
from models.channels.deliveries import Recipient
from models.channels.delivery_claims import ClaimedDelivery
from models.database import unit_of_work
from models.schema.channels import Delivery, DeliveryStatus, Lane
from models.schema.chat import Message
from models.schema.jobs import Job
from models.schema.users import User
from tests import factories

LEASE = timedelta(minutes=1)
ADA = Recipient("pigeon", "ada")
EVE = Recipient("pigeon", "eve")


def say(db: Session, code: str, to: Recipient = ADA, lane: Lane = Lane.REPLIES) -> None:
    content: dict[str, object] = {"code": code, "text": code, "rows": []}
    deliveries.notify(db, to, content, reference=code, lane=lane)


def claim(db: Session) -> list[ClaimedDelivery]:
    return delivery_claims.claim(db, ["pigeon"], LEASE, most=10)


def codes(claimed: list[ClaimedDelivery]) -> list[str]:
    return sorted(one.content["code"] for one in claimed)


def state(db: Session, claimed: ClaimedDelivery) -> Delivery:
    return db.get_one(Delivery, claimed.id, populate_existing=True)


def test_of_each_lane_the_first_is_claimed_and_the_next_when_it_is_over(db: Session) -> None:
    for code in ("1", "2"):
        say(db, code)
    say(db, "other lane", lane=Lane.CONVERSATION)
    say(db, "other chat", EVE)
    found = claim(db)
    assert codes(found) == ["1", "other chat", "other lane"]
    assert claim(db) == []
    first = next(one for one in found if one.content["code"] == "1")
    delivery_claims.finish(db, first, DeliveryStatus.SENT)
    assert codes(claim(db)) == ["2"]


def test_what_is_caused_twice_is_sent_once(db: Session) -> None:
    say(db, "1")
    say(db, "1")
    assert db.scalar(sa.select(sa.func.count()).select_from(Delivery)) == 1


def test_only_so_many_are_claimed(db: Session) -> None:
    say(db, "1")
    say(db, "2", EVE)
    assert len(delivery_claims.claim(db, ["pigeon"], LEASE, most=1)) == 1
    assert delivery_claims.claim(db, ["pigeon"], LEASE, most=0) == []
    assert delivery_claims.claim(db, ["telegraph"], LEASE, most=9) == []


def test_a_claim_that_was_lost_changes_nothing_any_more(db: Session) -> None:
    say(db, "1")
    (lost,) = delivery_claims.claim(db, ["pigeon"], timedelta(0), most=1)
    (kept,) = claim(db)
    assert kept.attempt == lost.attempt + 1
    assert not delivery_claims.renew(db, lost, LEASE)
    assert not delivery_claims.note_sent(db, lost, ("1",), LEASE)
    delivery_claims.note_preview(db, lost, "9")
    assert not delivery_claims.put_off(db, lost, "why")
    delivery_claims.finish(db, lost, DeliveryStatus.FAILED)
    row = state(db, kept)
    assert (row.status, row.sent_ids, row.preview_id) == (DeliveryStatus.WAITING, [], None)
    assert delivery_claims.renew(db, kept, LEASE)
    assert delivery_claims.note_sent(db, kept, ("1",), LEASE)


def test_what_is_put_off_waits_longer_each_time_and_is_given_up_after_a_day(
    db: Session, ada: User
) -> None:
    # A job that runs, of which the message is deleted, is no job of a notice.
    factories.running(db, ada)
    db.execute(sa.update(Job).values(message_id=None))
    say(db, "1")
    (claimed,) = claim(db)
    assert not delivery_claims.put_off(db, claimed, "away")
    assert timedelta(0) < state(db, claimed).ready_at - utc_now() <= timedelta(seconds=1)
    assert not delivery_claims.put_off(db, claimed, "away", timedelta(minutes=9))
    assert state(db, claimed).ready_at - utc_now() > timedelta(minutes=8)
    db.execute(sa.update(Delivery).values(created_at=utc_now() - timedelta(hours=25)))
    assert delivery_claims.put_off(db, claimed, "away")
    given_up = state(db, claimed)
    # Nor are its words kept.
    assert (given_up.status, given_up.content) == (DeliveryStatus.FAILED, {"code": "1"})


@pytest.mark.parametrize("is_question", [False, True])
def test_what_waited_for_its_answer_is_given_up_a_day_after_that(
    db: Session, ada: User, *, is_question: bool
) -> None:
    job = factories.job(db, ada)
    account = accounts.link(db, ada.id, "pigeon", "ada", "ada", "A. Bird")
    if is_question:
        deliveries.expect_question(db, account, db.get_one(Message, job.message_id))
    else:
        deliveries.expect_answer(db, account, job)
    running = factories.claim(db)
    assert running
    (claimed,) = claim(db)
    db.execute(sa.update(Delivery).values(created_at=utc_now() - timedelta(days=9)))
    assert not delivery_claims.put_off(db, claimed, "away")
    factories.answer(db, running)
    assert not delivery_claims.put_off(db, claimed, "away")
    db.execute(sa.update(Job).values(finished_at=utc_now() - timedelta(hours=25)))
    assert delivery_claims.put_off(db, claimed, "away")


@pytest.mark.parametrize(("failures", "seconds"), [(1, 1), (2, 2), (5, 16), (50, 300)])
def test_a_wait_doubles_up_to_minutes(failures: int, seconds: int) -> None:
    assert delivery_claims.retry_delay(failures) == timedelta(seconds=seconds)


def test_what_was_sent_is_not_kept_in_words(db: Session) -> None:
    say(db, "1")
    (claimed,) = claim(db)
    delivery_claims.finish(db, claimed, DeliveryStatus.SENT)
    assert state(db, claimed).content == {"code": "1"}


def test_two_processes_never_claim_the_same(emptied: Engine) -> None:
    assert emptied
    with unit_of_work() as db:
        say(db, "1")
        say(db, "2", EVE)
    with unit_of_work() as one, unit_of_work() as other:
        first = delivery_claims.claim(one, ["pigeon"], LEASE, most=1)
        second = delivery_claims.claim(other, ["pigeon"], LEASE, most=9)
        assert len({claimed.id for claimed in (*first, *second)}) == 2
