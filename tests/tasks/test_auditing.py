"""The audit as it is run: by hand, and by the clock."""

import subprocess
import sys
import threading
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from models import ledger
from models.database import unit_of_work
from models.ledger import AuditFinding
from models.users import User
from settings import PROJECT_DIR, Settings
from tasks import clock, upkeep
from tests import factories
from tests.house import wait_for


def by_hand() -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "tasks.auditing"]
    return subprocess.run(command, cwd=PROJECT_DIR, capture_output=True, text=True, check=False)


def test_by_hand_it_prints_every_rule_and_ends_well(emptied: sa.Engine) -> None:
    with unit_of_work() as db:
        factories.user(db, "grace@example.org")

    audited = by_hand()

    assert audited.returncode == 0, audited.stderr
    assert audited.stdout.count("    ok  ") == len(ledger.RULES)


def test_by_hand_a_micro_dollar_is_found_and_nothing_is_changed(emptied: sa.Engine) -> None:
    with unit_of_work() as db:
        owner = factories.user(db, "grace@example.org")
        owner.credits_balance_micros += 1

    audited = by_hand()

    assert audited.returncode == 1
    assert f"user:{owner.id} of {owner.id}: off by 1 micros" in audited.stdout
    with Session(emptied) as check:
        assert check.get_one(User, owner.id).spending_frozen_at is None


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
