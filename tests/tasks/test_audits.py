"""The audit as it is run: by hand, and by the clock."""

import subprocess
import sys
import threading
from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from actions import stripe_backfill
from actions.sentences.rules import rule
from models import database, ledger, payments
from models.base import utc_now
from models.database import unit_of_work
from models.payments.reconciliation import PAYMENTS, REFUNDS
from models.schema.audits import AuditFinding
from models.schema.ledger import FreezeReason
from models.schema.payments import PaymentStatus
from models.schema.users import User
from settings import PROJECT_DIR, Settings
from tasks import audits, scheduler, upkeep
from tests import factories
from tests.embedded.fake_stripe.served import ServedStripe
from tests.house import wait_for
from tests.payments import TEN


@pytest.fixture
def by_hand(
    emptied: sa.Engine, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[[], tuple[int, str]]:
    """Does what the command does, on the connections of this process: its exit code and words."""
    assert emptied

    def _connect(*_: object, **__: object) -> None:
        """They are there."""

    def _by_hand() -> tuple[int, str]:
        code = audits.main()
        return code, capsys.readouterr().out

    monkeypatch.setattr(database, "connect", _connect)
    return _by_hand


def test_by_hand_it_prints_every_rule_and_ends_well(emptied: sa.Engine) -> None:
    with unit_of_work() as db:
        factories.user(db, "grace@example.org")
    command = [sys.executable, "-m", "tasks.audits"]

    audited = subprocess.run(command, cwd=PROJECT_DIR, capture_output=True, text=True, check=False)

    assert audited.returncode == 0, audited.stderr
    assert audited.stdout.count("    ok  ") == len(ledger.RULES)
    assert "Stripe was not asked" in audited.stdout


def test_by_hand_a_micro_dollar_is_found_and_nothing_is_changed(
    emptied: sa.Engine, by_hand: Callable[[], tuple[int, str]]
) -> None:
    with unit_of_work() as db:
        owner = factories.user(db, "grace@example.org")
        owner.credits_balance_micros += 1

    code, said = by_hand()

    assert code == 1
    assert f"user:{owner.id} of {owner.id}: off by 1 micros" in said
    with Session(emptied) as check:
        assert check.get_one(User, owner.id).spending_frozen_at is None


def credited_without_payment() -> UUID:
    """Credits that were topped up, and of which Stripe knows nothing."""
    with unit_of_work() as db:
        owner = factories.user(db, "grace@example.org")
        payment = payments.begin(db, owner.id, TEN)
        payment.status, payment.paid_at, payment.charged_micros = PaymentStatus.PAID, utc_now(), TEN
        ledger.top_up(db, owner, TEN, reference=f"payment:{payment.id}")
    return payment.id


def test_by_hand_stripe_is_asked_as_well(
    by_hand: Callable[[], tuple[int, str]], stripe: ServedStripe
) -> None:
    assert stripe
    payment_id = credited_without_payment()

    code, said = by_hand()

    assert code == 1
    assert f"     1  {rule(PAYMENTS)}" in said
    assert f"payment:{payment_id}" in said
    assert f"    ok  {rule(REFUNDS)}" in said


def test_by_hand_it_says_that_stripe_is_away_and_that_is_no_finding(
    by_hand: Callable[[], tuple[int, str]], stripe: ServedStripe, adjust: Callable[..., None]
) -> None:
    assert stripe
    credited_without_payment()
    adjust(STRIPE_API_BASE="http://127.0.0.1:9")

    code, said = by_hand()

    assert code == 0
    assert "Stripe could not be asked" in said


def test_the_clock_asks_stripe_by_itself(
    emptied: sa.Engine, stripe: ServedStripe, monkeypatch: pytest.MonkeyPatch
) -> None:
    credited_without_payment()
    over = threading.Event()
    monkeypatch.setattr(stripe_backfill, "reconcile", lambda: None)
    ticking = threading.Thread(target=scheduler.run_money, args=(over,))
    ticking.start()

    def _found() -> bool:
        with Session(emptied) as check:
            return check.scalar(sa.select(AuditFinding.rule)) == PAYMENTS

    try:
        assert wait_for(_found, "the audit", seconds=20)
    finally:
        over.set()
        ticking.join()


def test_who_is_frozen_is_listed(by_hand: Callable[[], tuple[int, str]]) -> None:
    with unit_of_work() as db:
        owner = factories.user(db, "grace@example.org")
        ledger.freeze(owner, FreezeReason.AUDIT)

    code, said = by_hand()

    assert code == 0
    assert f"{owner.id} since" in said


def test_the_clock_audits_by_itself(
    emptied: sa.Engine, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    with unit_of_work() as db:
        owner = factories.user(db, "grace@example.org")
        owner.credits_balance_micros += 1
    quick: Any = settings.model_copy(update={"sweep_seconds": 0.01, "audit_seconds": 0.01})
    monkeypatch.setattr(scheduler, "get_settings", lambda: quick)
    monkeypatch.setattr(upkeep, "sweep", lambda: None)
    over = threading.Event()
    ticking = threading.Thread(target=scheduler.run, args=(over,))
    ticking.start()

    def _found() -> bool:
        with Session(emptied) as check:
            return check.scalar(sa.select(AuditFinding.user_id)) == owner.id

    try:
        assert wait_for(_found, "the audit", seconds=20)
    finally:
        over.set()
        ticking.join()
