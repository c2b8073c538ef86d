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

from models import ledger, payments
from models.base import utc_now
from models.database import unit_of_work
from models.ledger import AuditFinding, FreezeReason
from models.payments import PaymentStatus
from models.payments.comparing import PAYMENTS, REFUNDS
from models.users import User
from settings import PROJECT_DIR, Settings
from tasks import clock, reconciling, upkeep
from tests import factories
from tests.embedded.stripe_stand_in.served import ServedStripe
from tests.house import wait_for
from tests.payments import TEN


def by_hand() -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "tasks.auditing"]
    return subprocess.run(command, cwd=PROJECT_DIR, capture_output=True, text=True, check=False)


def test_by_hand_it_prints_every_rule_and_ends_well(emptied: sa.Engine) -> None:
    with unit_of_work() as db:
        factories.user(db, "grace@example.org")

    audited = by_hand()

    assert audited.returncode == 0, audited.stderr
    assert audited.stdout.count("    ok  ") == len(ledger.RULES)
    assert "Stripe was not asked" in audited.stdout


def test_by_hand_a_micro_dollar_is_found_and_nothing_is_changed(emptied: sa.Engine) -> None:
    with unit_of_work() as db:
        owner = factories.user(db, "grace@example.org")
        owner.credits_balance_micros += 1

    audited = by_hand()

    assert audited.returncode == 1
    assert f"user:{owner.id} of {owner.id}: off by 1 micros" in audited.stdout
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


def test_by_hand_stripe_is_asked_as_well(emptied: sa.Engine, stripe: ServedStripe) -> None:
    assert stripe
    payment_id = credited_without_payment()

    audited = by_hand()

    assert audited.returncode == 1, audited.stderr
    assert f"     1  {PAYMENTS}" in audited.stdout
    assert f"payment:{payment_id}" in audited.stdout
    assert f"    ok  {REFUNDS}" in audited.stdout


def test_by_hand_it_says_that_stripe_is_away_and_that_is_no_finding(
    emptied: sa.Engine, stripe: ServedStripe, adjust: Callable[..., None]
) -> None:
    credited_without_payment()
    adjust(STRIPE_API_BASE="http://127.0.0.1:9")

    audited = by_hand()

    assert audited.returncode == 0, audited.stderr
    assert "Stripe could not be asked" in audited.stdout


def test_the_clock_asks_stripe_by_itself(
    emptied: sa.Engine, stripe: ServedStripe, monkeypatch: pytest.MonkeyPatch
) -> None:
    credited_without_payment()
    over = threading.Event()
    monkeypatch.setattr(reconciling, "reconcile", lambda: None)
    ticking = threading.Thread(target=clock.run_money, args=(over,))
    ticking.start()

    def _found() -> bool:
        with Session(emptied) as check:
            return check.scalar(sa.select(AuditFinding.rule)) == PAYMENTS

    try:
        assert wait_for(_found, "the audit", seconds=20)
    finally:
        over.set()
        ticking.join()


def test_who_is_frozen_is_listed(emptied: sa.Engine) -> None:
    with unit_of_work() as db:
        owner = factories.user(db, "grace@example.org")
        ledger.freeze(owner, FreezeReason.AUDIT)

    audited = by_hand()

    assert audited.returncode == 0
    assert f"{owner.id} since" in audited.stdout


def test_the_clock_audits_by_itself(
    emptied: sa.Engine, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    with unit_of_work() as db:
        owner = factories.user(db, "grace@example.org")
        owner.credits_balance_micros += 1
    quick: Any = settings.model_copy(update={"sweep_seconds": 0.01, "audit_seconds": 0.01})
    monkeypatch.setattr(clock, "get_settings", lambda: quick)
    monkeypatch.setattr(upkeep, "sweep", lambda: None)
    over = threading.Event()
    ticking = threading.Thread(target=clock.run, args=(over,))
    ticking.start()

    def _found() -> bool:
        with Session(emptied) as check:
            return check.scalar(sa.select(AuditFinding.user_id)) == owner.id

    try:
        assert wait_for(_found, "the audit", seconds=20)
    finally:
        over.set()
        ticking.join()
