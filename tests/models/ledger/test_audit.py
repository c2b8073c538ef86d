"""The auditor finds each fault, planted by hand in books that were in order, and freezes it."""

from datetime import timedelta
from uuid import UUID

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from actions import stripe_events
from models import jobs, ledger
from models.base import utc_now
from models.ledger import CallCost
from models.schema.audits import AuditFinding, AuditRule, Books
from models.schema.failure_codes import FailureCode
from models.schema.jobs import Job
from models.schema.ledger import FreezeReason
from models.schema.model_calls import CallStatus
from models.schema.users import User
from tasks import audits
from tests import factories
from tests.factories import MODEL
from tests.models.ledger.test_entries import closed
from tests.payments import bought, dispute, refund, spend

NOTHING = CallCost(0, 0, 0, 0, 0, 0, "test", is_estimated=False)


@pytest.fixture
def answered(db: Session, ada: User, eve: User) -> Job:
    """An answer of Ada's that was charged, beside all else that can happen to calls."""
    _pay_and_take_back(db, eve)
    job = factories.running(db, eve)
    closed(db, job, 500)
    ledger.close_call(
        db, call_id=factories.open_call(db, job, 9), status=CallStatus.FAILED, cost=NOTHING
    )
    factories.open_call(db, job, 700)
    ledger.absorb_abandoned(db, job.id, job.attempt)
    factories.open_call(db, job, 900)
    job = factories.running(db, ada)
    closed(db, job, 1_000)
    factories.answer(db, job)
    return job


def _pay_and_take_back(db: Session, eve: User) -> None:
    """One payment goes back after its credits were used, a bank takes another, the third stays."""
    returned = bought(db, eve)
    spend(db, eve, 9_000_000)
    stripe_events.take_in(refund(returned, 1_000))
    db.refresh(eve)
    ledger.unfreeze(eve)
    disputed = bought(db, eve)
    stripe_events.take_in(dispute(disputed, "disputed", "needs_response", 1_000))
    db.refresh(eve)
    ledger.unfreeze(eve)
    bought(db, eve)


def broken(db: Session) -> dict[str, list[tuple[UUID, int]]]:
    """Who breaks which rule, by how much."""
    db.flush()
    found = ledger.audit(db)
    return {
        rule: [(one.user_id, one.off_by_micros) for one in ones]
        for rule, ones in found.items()
        if ones
    }


def test_books_in_order_pass(db: Session, answered: Job) -> None:
    assert answered.is_over
    assert broken(db) == {}
    assert audits.audit() == []


PLANTED = {
    AuditRule.BALANCE_IS_SUM: (
        "UPDATE users SET credits_balance_micros = credits_balance_micros + 1 WHERE id = :user",
        1,
    ),
    AuditRule.GRANTED_IS_SUM: (
        """UPDATE users SET credits_promotional_micros = credits_promotional_micros - 1
           WHERE id = :user""",
        -1,
    ),
    AuditRule.HELD_BY_OPEN_CALLS: (
        "UPDATE users SET credits_held_micros = 1 WHERE id = :user",
        1,
    ),
    AuditRule.CHARGE_HAS_CALL: (
        "UPDATE transactions SET call_id = NULL WHERE job_id = :job",
        -1_000,
    ),
    AuditRule.CALL_HAS_CHARGE: (
        "UPDATE transactions SET call_id = NULL WHERE job_id = :job",
        0,
    ),
    AuditRule.REFUND_IS_WHOLE: (
        """INSERT INTO transactions (id, user_id, kind, amount_micros, reference, reason,
                                     reverses_id)
           SELECT gen_random_uuid(), user_id, 'refund', 999, 'refund:' || call_id, 'by_hand', id
           FROM transactions WHERE job_id = :job""",
        -1,
    ),
    AuditRule.WRITE_OFF_HAS_REASON: (
        """INSERT INTO transactions (id, user_id, kind, amount_micros, reference)
           VALUES (gen_random_uuid(), :user, 'refund', 3, 'refund:elsewhere')""",
        3,
    ),
    AuditRule.WITHIN_DAILY_CAP: (
        """INSERT INTO transactions (id, user_id, kind, amount_micros, reference, reason,
                                     carried_micros, cap_micros)
           SELECT gen_random_uuid(), :user, 'absorbed', 0, 'absorbed:' || number, 'late_call', 4, 6
           FROM generate_series(1, 2) AS number""",
        2,
    ),
    AuditRule.CHARGE_STANDS_OR_RETURNED: (
        """INSERT INTO standing_charges (id, user_id, call_id, job_id, reason, charged_micros,
                                         given_back_at)
           SELECT gen_random_uuid(), user_id, id, job_id, 'job_failed', 1000, now()
           FROM model_calls WHERE job_id = :job""",
        -1_000,
    ),
    AuditRule.PAID_IS_TOPPED_UP: (
        """INSERT INTO payments (id, user_id, kind, status, amount_micros, charged_micros, paid_at)
           VALUES (gen_random_uuid(), :user, 'checkout', 'paid', 7, 7, now())""",
        -7,
    ),
    AuditRule.RETURNED_IS_REFUNDED: (
        """INSERT INTO payments (id, user_id, kind, status, amount_micros, returned_micros)
           VALUES (gen_random_uuid(), :user, 'checkout', 'open', 7, 5)""",
        5,
    ),
}


def plant(db: Session, job: Job, rule: AuditRule) -> int:
    """Break a rule as the product itself may not; return by how much."""
    statement, off_by = PLANTED[rule]
    for guard in (
        "DISABLE TRIGGER transactions_append_only",
        "DROP CONSTRAINT ck_transactions_write_off_has_reason",
    ):
        db.execute(sa.text(f"ALTER TABLE transactions {guard}"))
    db.execute(sa.text(statement).bindparams(), {"job": job.id, "user": job.user_id})
    return off_by


def test_each_rule_has_a_fault_planted() -> None:
    assert set(PLANTED) == set(ledger.RULES)


@pytest.mark.parametrize("rule", PLANTED)
def test_a_planted_fault_is_found(db: Session, answered: Job, rule: AuditRule) -> None:
    off_by = plant(db, answered, rule)

    assert (answered.user_id, off_by) in broken(db)[rule]
    assert all(who == answered.user_id for who, _ in broken(db)[rule])


def test_a_finding_is_told_once_and_freezes_the_account_alone(
    db: Session, ada: User, eve: User, answered: Job, capsys: pytest.CaptureFixture[str]
) -> None:
    plant(db, answered, AuditRule.BALANCE_IS_SUM)
    db.commit()

    found = audits.audit()

    assert [(one.user_id, one.off_by_micros) for one in found] == [(ada.id, 1)]
    assert audits.audit() == []
    assert capsys.readouterr().out.count("books.mismatch") == 1
    db.refresh(ada)
    db.refresh(eve)
    assert ada.spending_frozen_at is not None
    assert ada.spending_frozen_reason == FreezeReason.AUDIT
    assert eve.spending_frozen_at is None
    kept = db.scalars(sa.select(AuditFinding)).one()
    assert (kept.user_id, kept.subject) == (ada.id, f"user:{ada.id}")


def test_when_audits_began_is_kept_once_they_came_to_their_end(db: Session) -> None:
    assert ledger.last_runs(db) == {}
    before = utc_now()
    audits.audit()

    began = ledger.last_runs(db)
    assert began.keys() == {Books.LEDGER}
    assert before <= began[Books.LEDGER] <= utc_now()


def test_of_two_audits_at_once_the_later_counts(db: Session) -> None:
    now = utc_now()
    for began in (now, now - timedelta(seconds=1)):
        ledger.note_run(db, Books.LEDGER, began)
    assert ledger.last_runs(db) == {Books.LEDGER: now}


def test_who_is_frozen_reads_but_does_not_send(db: Session, ada: User, eve: User) -> None:
    waiting = factories.running(db, ada)
    ledger.freeze(ada, FreezeReason.AUDIT)
    db.flush()

    with pytest.raises(ledger.SpendingFrozen) as refusal:
        factories.job(db, ada)
    assert refusal.value.reason is FreezeReason.AUDIT
    jobs.fail(db, waiting, FailureCode.UNEXPECTED)
    with pytest.raises(ledger.SpendingFrozen):
        jobs.ask_again(db, waiting, model=MODEL)
    assert factories.job(db, eve)
