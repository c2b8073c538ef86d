"""What an admin sees of everybody's money."""

from collections.abc import Callable
from datetime import timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from actions import stripe_events
from models import ledger, payments
from models.base import utc_now
from models.ledger import freezes
from models.ops import admin_reports
from models.ops.admin_reports import CARRIED_FOR, MENDED_FOR, MOST
from models.schema.audits import AuditFinding, AuditRule, Books
from models.schema.failure_codes import FailureCode
from models.schema.free_credit import FreeCreditRefusal, RefusalReason
from models.schema.ledger import FreezeReason, Transaction, WriteOffReason
from models.schema.payments import EventTrouble
from models.schema.users import User
from tasks import audits
from tests import factories
from tests.models.ledger.test_entries import closed
from tests.models.ledger.test_freezes import put_off_by
from tests.models.ledger.test_write_offs import failed
from tests.payments import TEN, notice


def refused(db: Session, user: User | None, reason: RefusalReason) -> None:
    about = {"user_id": user.id if user else None, "mailbox_hash": "hash"}
    db.add(FreeCreditRefusal(reason=reason, **about))
    db.flush()


def test_while_all_is_well_there_is_nothing(db: Session, ada: User) -> None:
    seen = admin_reports.read(db)

    assert (seen.open_count, seen.audited_at, seen.compared_at) == (0, None, None)
    lists = (seen.found, seen.mended, seen.frozen, seen.set_aside, seen.refused)
    for listed in (*lists, seen.standing, seen.carried):
        assert (listed.rows, listed.is_cut) == ([], False)
    audits.audit()
    assert admin_reports.read(db).audited_at == ledger.last_runs(db)[Books.LEDGER]


def test_findings_come_newest_first_and_go_when_they_are_mended(
    db: Session, ada: User, eve: User
) -> None:
    put_off_by(db, ada, 1)
    put_off_by(db, eve, 3)

    seen = admin_reports.read(db)

    assert seen.open_count == 2
    found = [(one.user_id, one.email, one.off_by_micros) for one in seen.found.rows]
    assert found == [(eve.id, eve.email, 3), (ada.id, ada.email, 1)]
    assert seen.found.rows[0].rule == AuditRule.BALANCE_IS_SUM
    assert seen.found.rows[0].subject == f"user:{eve.id}"
    assert seen.mended.rows == []

    put_off_by(db, eve, -3)
    seen = admin_reports.read(db)

    assert [one.user_id for one in seen.found.rows] == [ada.id]
    (mended,) = seen.mended.rows
    assert mended.user_id == eve.id
    assert mended.resolved_at is not None
    assert seen.open_count == 1


def test_what_was_mended_long_ago_is_left_out(db: Session, ada: User) -> None:
    for micros in (1, -1):
        put_off_by(db, ada, micros)
    finding = db.scalars(sa.select(AuditFinding)).one()
    for ago, shown in ((MENDED_FOR - timedelta(hours=1), 1), (MENDED_FOR, 0)):
        finding.resolved_at = utc_now() - ago
        db.flush()
        assert len(admin_reports.read(db).mended.rows) == shown


def test_the_longest_frozen_comes_first_and_goes_with_the_freeze(
    db: Session, ada: User, eve: User
) -> None:
    for user, reason in ((eve, FreezeReason.AUDIT), (ada, FreezeReason.DISPUTE)):
        ledger.freeze(user, reason)
    db.flush()

    frozen = admin_reports.read(db).frozen.rows

    assert [(one.user_id, one.email, one.reason) for one in frozen] == [
        (eve.id, eve.email, FreezeReason.AUDIT),
        (ada.id, ada.email, FreezeReason.DISPUTE),
    ]
    assert frozen[0].frozen_at == eve.spending_frozen_at
    freezes.end(db, eve.id)
    assert [one.user_id for one in admin_reports.read(db).frozen.rows] == [ada.id]


def test_only_events_with_trouble_are_shown(db: Session, ada: User) -> None:
    payment = payments.begin(db, ada.id, TEN)
    db.commit()
    wrong = notice(payment, "paid", bought_cents=1)
    for told in (wrong, notice(payment, "paid")):
        stripe_events.take_in(told)

    (event,) = admin_reports.read(db).set_aside.rows

    assert (event.event_id, event.kind, event.happened_at) == (wrong.event_id, "paid", wrong.at)
    assert event.trouble is EventTrouble.AMOUNT_DIFFERS
    assert event.details == {
        "payment_id": str(payment.id),
        "bought_micros": 10_000,
        "currency": "usd",
    }


def test_refusals_stay_when_their_account_is_gone(db: Session, ada: User) -> None:
    refused(db, ada, RefusalReason.CLAIMED)
    refused(db, None, RefusalReason.NETWORK)

    seen = [(one.user_id, one.email, one.reason) for one in admin_reports.read(db).refused.rows]

    assert seen == [
        (None, None, RefusalReason.NETWORK),
        (ada.id, ada.email, RefusalReason.CLAIMED),
    ]


def test_a_long_list_is_cut_and_says_so(db: Session) -> None:
    for _ in range(MOST):
        refused(db, None, RefusalReason.BLOCKED)
    assert not admin_reports.read(db).refused.is_cut

    refused(db, factories.user(db, "grace@example.org"), RefusalReason.CLAIMED)

    listed = admin_reports.read(db).refused
    assert listed.is_cut
    assert len(listed.rows) == MOST
    assert listed.rows[0].reason is RefusalReason.CLAIMED


def test_who_was_charged_beyond_the_cap_is_shown_until_it_is_given_back(
    db: Session, ada: User, eve: User, adjust: Callable[..., None]
) -> None:
    adjust(ABSORBED_DAILY_LIMIT_MICROS="300")
    failed(db, ada, 600)
    for code in (FailureCode.UNEXPECTED, FailureCode.WORKER_LOST):
        failed(db, ada, 40, code=code)
    failed(db, eve, 700)

    first, second = admin_reports.read(db).standing.rows

    assert (first.email, first.charged_micros) == (eve.email, 700)
    assert (second.email, second.charged_micros) == (ada.email, 80)
    assert second.reasons == {WriteOffReason.JOB_FAILED: 40, WriteOffReason.WORKER_LOST: 40}
    ledger.refund_by_hand(db, ada.id)
    assert [one.email for one in admin_reports.read(db).standing.rows] == [eve.email]


def test_who_costs_us_most_comes_first_for_a_week(db: Session, ada: User, eve: User) -> None:
    failed(db, eve, 200)
    failed(db, ada, 600)
    closed(db, factories.running(db, ada), 300, held=100)

    first, second = admin_reports.read(db).carried.rows

    assert (first.email, first.carried_micros) == (ada.email, 400)
    assert first.reasons == {WriteOffReason.JOB_FAILED: 300, WriteOffReason.BEYOND_HOLD: 100}
    assert (second.email, second.carried_micros) == (eve.email, 100)
    with factories.rewriting(db):
        db.execute(sa.update(Transaction).values(created_at=utc_now() - CARRIED_FOR))
    assert admin_reports.read(db).carried.rows == []
