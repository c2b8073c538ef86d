"""A freeze ends when somebody has looked, and not before the books are right; or by force."""

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from actions import stripe_events
from models import ledger, payments
from models.base import utc_now
from models.ledger import freezes
from models.schema.audits import AuditFinding, AuditRule
from models.schema.jobs import Job, JobStatus
from models.schema.ledger import FreezeReason, Transaction
from models.schema.users import User
from tasks import audits
from tests import factories
from tests.payments import TEN, notice, spend


def put_off_by(db: Session, user: User, micros: int) -> None:
    """Shift a balance behind the ledger's back, and audit."""
    user.credits_balance_micros += micros
    db.commit()
    audits.audit()
    db.refresh(user)


def findings(db: Session) -> list[tuple[int, bool]]:
    """How far off each was, and whether it is over."""
    found = db.scalars(sa.select(AuditFinding).order_by(AuditFinding.id))
    return [(one.off_by_micros, one.resolved_at is not None) for one in found]


def test_a_finding_ends_when_an_audit_sees_it_no_more(db: Session, ada: User, eve: User) -> None:
    put_off_by(db, eve, 3)
    put_off_by(db, ada, 1)
    assert findings(db) == [(3, False), (1, False)]

    put_off_by(db, ada, -1)

    assert findings(db) == [(3, False), (1, True)]
    assert ada.spending_frozen_reason == FreezeReason.AUDIT


def test_what_comes_again_is_another_finding_and_freezes_again(db: Session, ada: User) -> None:
    for micros in (1, -1):
        put_off_by(db, ada, micros)
    freezes.end(db, ada.id)
    put_off_by(db, ada, 1)

    assert findings(db) == [(1, True), (1, False)]
    assert ada.is_frozen


def test_an_audit_ends_nothing_that_was_found_after_it_began(db: Session, ada: User) -> None:
    put_off_by(db, ada, 1)
    finding = db.scalars(sa.select(AuditFinding)).one()

    assert ledger.resolve(db, finding.rule, [], found_before=finding.created_at) == []
    assert findings(db) == [(1, False)]


def test_a_freeze_ends_once_and_is_remembered(db: Session, ada: User) -> None:
    ledger.freeze(ada, FreezeReason.AUDIT)
    since = ada.spending_frozen_at

    freezes.end(db, ada.id)

    assert not ada.is_frozen
    (ended,) = freezes.list_ended(db, ada.id)
    assert (ended.frozen_at, ended.frozen_reason, ended.forced_because) == (
        since,
        FreezeReason.AUDIT,
        None,
    )
    with pytest.raises(freezes.NotFrozen):
        freezes.end(db, ada.id)


def test_who_ended_it_is_kept_until_their_account_is_gone(db: Session, ada: User) -> None:
    admin = factories.user(db, "grace@example.org")
    ledger.freeze(ada, FreezeReason.AUDIT)

    freezes.end(db, ada.id, admin_id=admin.id)

    (ended,) = freezes.list_ended(db, ada.id)
    assert ended.admin_id == admin.id
    with factories.rewriting(db):
        db.execute(sa.delete(Transaction).where(Transaction.user_id == admin.id))
    db.execute(sa.delete(User).where(User.id == admin.id))
    db.refresh(ended)
    assert ended.admin_id is None


def test_while_something_is_wrong_it_ends_only_by_force_and_with_a_reason(
    db: Session, ada: User, eve: User
) -> None:
    put_off_by(db, ada, 1)
    with pytest.raises(freezes.StillBroken):
        freezes.end(db, ada.id)
    with pytest.raises(freezes.NoReason):
        freezes.end(db, ada.id, forced_because="  ")
    assert ada.is_frozen

    freezes.end(db, ada.id, forced_because="Our own test.")

    db.commit()
    audits.audit()
    db.refresh(ada)
    assert not ada.is_frozen
    assert freezes.list_ended(db, ada.id)[0].forced_because == "Our own test."


def test_what_is_wrong_elsewhere_does_not_matter(db: Session, ada: User, eve: User) -> None:
    put_off_by(db, eve, 1)
    ledger.freeze(ada, FreezeReason.AUDIT)

    freezes.end(db, ada.id)

    assert [one.id for one in freezes.list_frozen(db)] == [eve.id]


def test_what_only_stripe_can_say_is_right_counts_until_an_audit_sees_it_no_more(
    db: Session, ada: User
) -> None:
    ledger.note(db, ledger.Mismatch(ada.id, AuditRule.STRIPE_PAYMENTS, "payment:1", 5))
    with pytest.raises(freezes.StillBroken):
        freezes.end(db, ada.id)

    ledger.resolve(db, AuditRule.STRIPE_PAYMENTS, [], found_before=utc_now())
    freezes.end(db, ada.id)


def test_paused_messages_go_on_if_there_are_credits(db: Session, ada: User) -> None:
    spend(db, ada, ada.credits_balance_micros)
    waiting = factories.job(db, ada)
    assert waiting.status is JobStatus.PAUSED
    payment = payments.begin(db, ada.id, TEN)
    ledger.freeze(ada, FreezeReason.AUDIT)
    assert freezes.end(db, ada.id) == []

    ledger.freeze(ada, FreezeReason.AUDIT)
    db.commit()
    stripe_events.take_in(notice(payment, "paid"))
    assert db.get_one(Job, waiting.id, populate_existing=True).status is JobStatus.PAUSED
    assert [one.id for one in freezes.end(db, ada.id)] == [waiting.id]
    assert db.get_one(Job, waiting.id).status is JobStatus.PENDING


def test_accounts_are_found_by_address_or_id(db: Session, ada: User) -> None:
    assert freezes.find_account(db, " ADA@example.org").id == ada.id
    assert freezes.find_account(db, str(ada.id)).id == ada.id
    with pytest.raises(freezes.UnknownAccount):
        freezes.find_account(db, "nobody@example.org")
