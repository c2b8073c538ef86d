"""The audit that follows what changed finds what a full one finds."""

import time
from datetime import timedelta

import pytest
from sqlalchemy.orm import Session

from models import ledger
from models.ledger import incremental_audit
from models.schema.audits import AuditRule, AuditSum
from models.schema.jobs import Job
from models.schema.users import User
from tests import factories
from tests.models.ledger.test_audit import PLANTED, answered, plant
from tests.models.ledger.test_entries import closed

__all__ = ["answered"]


@pytest.fixture(autouse=True)
def nothing_comes_late(monkeypatch: pytest.MonkeyPatch) -> None:
    """What was written a moment ago is old already."""
    monkeypatch.setattr(incremental_audit, "LAG", timedelta(0))


def found(db: Session) -> dict[AuditRule, set[tuple[object, str, int]]]:
    """What both audits find, which is the same."""
    # An id has the milliseconds of its making.
    time.sleep(0.002)
    whole, changes = ledger.audit(db), ledger.audit_changes(db)
    assert {rule: set(map(repr, ones)) for rule, ones in whole.items()} == {
        rule: set(map(repr, ones)) for rule, ones in changes.items()
    }
    return {
        rule: {(one.user_id, one.subject, one.off_by_micros) for one in ones}
        for rule, ones in whole.items()
        if ones
    }


@pytest.mark.parametrize("rule", PLANTED)
def test_it_finds_in_what_is_new_what_a_full_one_finds(
    db: Session, rule: AuditRule, request: pytest.FixtureRequest
) -> None:
    assert found(db) == {}
    job: Job = request.getfixturevalue("answered")
    plant(db, job, rule)
    assert rule in found(db)


def test_what_was_added_up_is_not_added_again(db: Session, answered: Job) -> None:
    """Entries of before count once, whether they are old enough to be kept or not yet."""
    found(db)
    kept = db.get_one(AuditSum, answered.user_id)
    owner = db.get_one(User, answered.user_id)
    db.refresh(kept)
    assert kept.amount_micros == owner.credits_balance_micros
    job = factories.running(db, owner)
    closed(db, job, 700)
    assert found(db) == {}


def test_what_was_changed_in_old_rows_is_found_in_turn(
    db: Session, answered: Job, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing tells that they were; all users are audited as a whole after so many rounds."""
    found(db)
    plant(db, answered, AuditRule.CALL_HAS_CHARGE)
    monkeypatch.setattr(incremental_audit, "ROUNDS", 2)
    later = [any(ledger.audit_changes(db).values()) for _ in range(2)]
    assert any(later)


def test_a_sum_that_is_wrong_accuses_nobody_and_is_mended(db: Session, answered: Job) -> None:
    found(db)
    kept = db.get_one(AuditSum, answered.user_id)
    kept.amount_micros += 5
    db.flush()
    assert found(db) == {}
    db.refresh(kept)
    assert kept.amount_micros == db.get_one(User, answered.user_id).credits_balance_micros


def test_a_finding_that_is_true_no_more_is_seen_to_be(db: Session, answered: Job) -> None:
    found(db)
    owner = db.get_one(User, answered.user_id)
    owner.credits_balance_micros += 1
    db.flush()
    (mismatch,) = ledger.audit_changes(db)[AuditRule.BALANCE_IS_SUM]
    ledger.note(db, mismatch)
    owner.credits_balance_micros -= 1
    db.flush()
    assert found(db) == {}
