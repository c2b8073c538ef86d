"""What is over goes after a while; what still decides something, and all that is money, stays."""

import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session
from uuid_utils.compat import uuid7

from models.base import Base, new_id, utc_now
from models.channels import deliveries, delivery_claims, links, updates
from models.channels.deliveries import Recipient
from models.channels.updates import NewUpdate
from models.database import unit_of_work
from models.email import outbox, templates
from models.ops import retention, workers
from models.people import email_tokens, sessions
from models.schema.alerts import Alert, AlertKind
from models.schema.channels import (
    ChannelLink,
    ChannelUpdate,
    Delivery,
    DeliveryStatus,
    UpdateStatus,
)
from models.schema.email_tokens import EmailToken, LinkPurpose
from models.schema.emails import Email
from models.schema.free_credit import FreeCreditRefusal, RefusalReason
from models.schema.ledger import Transaction
from models.schema.model_calls import ModelCall
from models.schema.payments import Payment, StripeEvent
from models.schema.sessions import UserSession
from models.schema.users import User
from models.schema.workers import Worker
from settings import Settings
from tasks import scheduler, upkeep
from tests import factories
from tests.house import wait_for
from tests.payments import bought, spend

HOUR = timedelta(hours=1)


def later(hours: float = 1) -> datetime:
    """A time before which all that was made just now is old."""
    return utc_now() + hours * HOUR


def count(db: Session, table: type[Base]) -> int:
    return db.scalar(sa.select(sa.func.count()).select_from(table)) or 0


def mailed(db: Session, reference: str) -> None:
    outbox.queue(db, "ada@example.org", templates.alert("Low", ["Very."]), reference=reference)
    claimed = outbox.claim_next(db, HOUR)
    assert claimed
    outbox.mark_sent(db, claimed)


def alert(db: Session, user: User, kind: AlertKind) -> None:
    told: dict[str, Any] = {"percent": 100, "limit_micros": 1, "period_begins": utc_now()}
    db.add(Alert(user_id=user.id, kind=kind, **told))
    db.flush()


def refused(db: Session, user: User | None) -> None:
    about = {"user_id": user.id if user else None, "mailbox_hash": "hash"}
    db.add(FreeCreditRefusal(reason=RefusalReason.CLAIMED, **about))
    db.flush()


def test_mails_that_were_sent_go_and_those_that_wait_stay(db: Session) -> None:
    mailed(db, "sent")
    outbox.queue(db, "ada@example.org", templates.alert("Low", ["Very."]), reference="waits")

    assert retention.prune(db, utc_now() - HOUR, limit=10) == {}
    assert retention.prune(db, later(), limit=10) == {"emails": 1}
    assert db.scalars(sa.select(Email.reference)).all() == ["waits"]


def test_it_goes_in_small_batches_oldest_first(db: Session) -> None:
    for number in range(5):
        mailed(db, f"{number}")

    assert retention.prune(db, later(), limit=2) == {"emails": 2}
    assert sorted(db.scalars(sa.select(Email.reference))) == ["2", "3", "4"]


def test_links_that_still_work_stay(db: Session, ada: User) -> None:
    for purpose in (LinkPurpose.PASSWORD_RESET, LinkPurpose.VERIFICATION):
        email_tokens.make(db, ada, purpose, address=ada.email)

    assert retention.prune(db, later(2), limit=10) == {"mailed_links": 1}
    assert db.scalars(sa.select(EmailToken.expires_at)).one() > later(2)


def test_a_low_balance_that_was_told_is_remembered_until_it_is_told_again(
    db: Session, ada: User, eve: User
) -> None:
    for kind in (AlertKind.DAY, AlertKind.MONTH, AlertKind.BALANCE):
        alert(db, ada, kind)
    alert(db, eve, AlertKind.BALANCE)
    assert retention.prune(db, later(), limit=10) == {"alerts": 2}

    alert(db, ada, AlertKind.BALANCE)
    assert retention.prune(db, later(), limit=10) == {"alerts": 1}
    assert count(db, Alert) == 2


def test_who_is_logged_in_stays_so(db: Session, ada: User) -> None:
    live, gone, _ = (sessions.open_for(db, ada, "a browser") for _ in range(3))
    sessions.revoke(db, ada.id, gone.id)
    latest = sa.update(UserSession).where(UserSession.id.not_in((live.id, gone.id)))
    db.execute(latest.values(expires_at=utc_now()))

    assert retention.prune(db, later(), limit=10) == {"user_sessions": 2}
    assert db.scalars(sa.select(UserSession.id)).one() == live.id


def test_who_has_no_credit_yet_still_reads_why(
    db: Session, ada: User, adjust: Callable[..., None]
) -> None:
    adjust(SIGN_UP_GRANT_MICROS="0")
    penniless = factories.user(db, "grace@example.org")
    for user in (ada, penniless, None):
        refused(db, user)

    assert retention.prune(db, later(), limit=10) == {"free_credit_refusals": 2}
    assert db.scalars(sa.select(FreeCreditRefusal.user_id)).one() == penniless.id


def test_workers_that_were_not_seen_go(db: Session) -> None:
    silent, seen = uuid7(), uuid7()
    for worker_id in (silent, seen):
        workers.register(db, worker_id, "host")
    db.execute(sa.update(Worker).where(Worker.id == seen).values(seen_at=later(2)))

    assert retention.prune(db, later(), limit=10) == {"workers": 1}
    assert db.scalars(sa.select(Worker.id)).one() == seen


def test_records_of_money_stay(db: Session, ada: User) -> None:
    bought(db, ada)
    spend(db, ada, 1_000)
    kept = (Payment, StripeEvent, Transaction, ModelCall)
    before = {table: count(db, table) for table in kept}
    retention.prune(db, later(), limit=100)

    assert all(before.values())
    assert {table: count(db, table) for table in kept} == before


def test_the_clock_prunes_by_itself_what_was_kept_long_enough(
    emptied: sa.Engine, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    with unit_of_work() as db:
        for reference in ("old", "young"):
            mailed(db, reference)
        ancient = UUID(int=int((utc_now() - timedelta(days=91)).timestamp() * 1000) << 80)
        db.execute(sa.update(Email).where(Email.reference == "old").values(id=ancient))
    quick: Any = settings.model_copy(update={"sweep_seconds": 0.01})
    monkeypatch.setattr(scheduler, "get_settings", lambda: quick)
    monkeypatch.setattr(upkeep, "sweep", lambda: None)
    over = threading.Event()
    ticking = threading.Thread(target=scheduler.run, args=(over,))
    ticking.start()

    def _is_gone() -> bool:
        with Session(emptied) as check:
            return check.scalars(sa.select(Email.reference)).all() == ["young"]

    try:
        assert wait_for(_is_gone, "the pruning", seconds=20)
    finally:
        over.set()
        ticking.join()


def from_messenger(db: Session, number: int) -> ChannelUpdate:
    new = NewUpdate(f"u{number}", number, "ada", None, None, {})
    received = updates.receive(db, "pigeon", new)
    assert received
    return received


def test_what_came_from_messengers_goes_after_thirty_days_once_it_is_handled(db: Session) -> None:
    from_messenger(db, 1)
    updates.close(db, [from_messenger(db, 2)], UpdateStatus.DONE)
    assert retention.prune_channels(db, later(24 * 29), limit=10) == {}
    assert retention.prune_channels(db, later(24 * 31), limit=10) == {"channel_updates": 1}
    assert db.scalars(sa.select(ChannelUpdate.number)).all() == [1]


def test_what_went_to_messengers_goes_thirty_days_after_it_is_over(db: Session) -> None:
    for code in ("sent", "waits"):
        deliveries.notify(db, Recipient("pigeon", code), {"code": code}, reference=code)
    sent = next(
        one
        for one in delivery_claims.claim(db, ["pigeon"], HOUR, most=2)
        if one.content["code"] == "sent"
    )
    delivery_claims.finish(db, sent, DeliveryStatus.SENT)
    assert retention.prune_channels(db, later(24 * 29), limit=10) == {}
    assert retention.prune_channels(db, later(24 * 31), limit=10) == {"deliveries": 1}
    assert db.scalars(sa.select(Delivery.reference)).all() == ["waits"]


def test_codes_that_link_messengers_go_a_day_after_they_have_expired(
    db: Session, ada: User
) -> None:
    links.make_for_user(db, ada.id, "pigeon")
    assert retention.prune_channels(db, later(24), limit=10) == {}
    assert retention.prune_channels(db, later(26), limit=10) == {"channel_links": 1}
    assert count(db, ChannelLink) == 0


def test_upkeep_prunes_what_messengers_left(db: Session) -> None:
    old = utc_now() - timedelta(days=31)
    updates.close(db, [from_messenger(db, 1)], UpdateStatus.DONE)
    aged = UUID(int=int(old.timestamp() * 1000) << 80 | new_id().int % 2**62)
    db.execute(sa.update(ChannelUpdate).values(id=aged, received_at=old))
    db.commit()
    upkeep.prune()
    assert count(db, ChannelUpdate) == 0
