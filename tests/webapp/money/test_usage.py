"""What a person spent, by day, model and conversation."""

from collections.abc import Generator
from datetime import UTC, date, datetime
from uuid import UUID

import pytest
import sqlalchemy as sa
import time_machine
from sqlalchemy.orm import Session

from models import jobs
from models.ledger import usage
from models.schema.failure_codes import FailureCode
from models.schema.jobs import Job
from models.schema.ledger import EntryKind, Transaction
from models.schema.users import User
from tests import factories
from tests.models.ledger.test_entries import closed
from tests.webapp.browser import Browser

NOW = datetime(2026, 6, 10, 12, tzinfo=UTC)
DOLLAR = 1_000_000


@pytest.fixture(autouse=True)
def june() -> Generator[None]:
    """It is the tenth of June, for the login too."""
    with time_machine.travel(NOW, tick=False):
        yield


def spend(db: Session, owner: User, micros: int, *, at: datetime, words: str = "Hello?") -> Job:
    """A message at some moment that cost so much."""
    with time_machine.travel(at, tick=False):
        job = factories.running(db, owner, words)
        closed(db, job, micros)
        factories.answer(db, job)
    return job


@pytest.fixture
def month(db: Session, ada: User) -> list[UUID]:
    """Three messages of Ada's in as many conversations, and one that was given back."""
    late = datetime(2026, 6, 8, 22, 30, tzinfo=UTC)
    asked = [
        spend(db, ada, 10_000, at=datetime(2026, 6, 1, 9, tzinfo=UTC), words="Beans"),
        # In Berlin it is the 9th already.
        spend(db, ada, 20_000, at=late, words="Peas"),
        spend(db, ada, 40_000, at=NOW, words="Leeks"),
    ]
    failed = factories.running(db, ada, "Chard")
    closed(db, failed, 80_000)
    jobs.fail(db, failed, FailureCode.UNEXPECTED)
    db.commit()
    return [job.conversation_id for job in asked]


def test_days_are_those_of_the_person_and_nothing_given_back_counts(
    db: Session, ada: User, month: list[UUID]
) -> None:
    found = usage.read(db, ada, 30)

    assert len(found.days) == 30
    assert {day.day: day.micros for day in found.days if day.micros} == {
        date(2026, 6, 1): 10_000,
        date(2026, 6, 9): 20_000,
        date(2026, 6, 10): 40_000,
    }
    assert (found.total_micros, found.messages, found.average_micros) == (70_000, 3, 23_333)
    assert [part.id for part in found.conversations] == month[::-1]
    assert [(part.name, part.micros) for part in found.models] == [(factories.MODEL, 70_000)]


def test_the_sums_are_those_of_the_ledger(db: Session, ada: User, month: list[UUID]) -> None:
    assert month
    found = usage.read(db, ada, 90)
    booked = sa.select(sa.func.sum(Transaction.amount_micros)).where(
        Transaction.user_id == ada.id, Transaction.kind != EntryKind.GRANT
    )

    total = -int(db.scalar(booked) or 0)
    assert found.total_micros == total
    assert sum(part.micros for part in found.models) == total
    assert sum(part.micros for part in found.conversations) == total


def test_days_left_go_by_the_days_since_the_first_spending(
    db: Session, ada: User, eve: User, month: list[UUID]
) -> None:
    assert month
    # 70,000 in ten days: a dollar lasts 142.
    assert usage.read(db, ada, 30).days_left(DOLLAR) == 142
    assert usage.read(db, ada, 7).days_left(DOLLAR) == 33
    assert usage.read(db, eve, 30).days_left(DOLLAR) is None


def test_the_page_shows_a_chart_with_the_same_numbers_as_a_table(
    ada: User, adas: Browser, month: list[UUID]
) -> None:
    page = adas.read("/usage")
    assert page.count("<rect") == 3
    assert "9 June: $0.02</title>" in page
    assert '<th scope="row">9 June</th>' in page
    assert "$0.07" in page
    assert "Demo model" in page
    assert f'href="/chat/{month[2]}">Leeks</a>' in page


@pytest.mark.parametrize(("asked", "shown"), [("7", 7), ("90", 90), ("8", 30), ("x", 30)])
def test_the_period_is_one_of_three(
    adas: Browser, month: list[UUID], asked: str, shown: int
) -> None:
    assert month
    page = adas.read(f"/usage?days={asked}")
    assert page.count('<th scope="row">') >= shown
    assert f"each of {shown} days" in page


def test_deleted_conversations_are_counted_together(adas: Browser, month: list[UUID]) -> None:
    for conversation in month[:2]:
        adas.post(f"/chat/{conversation}/deletion")
    page = adas.read("/usage")
    assert page.count("Deleted conversations") == 1
    assert "Peas" not in page
    assert "$0.03" in page


def test_nothing_spent_says_so(adas: Browser) -> None:
    assert "Nothing was spent in these 30 days." in adas.read("/usage")


def test_nobody_sees_what_others_spent(eves: Browser, browser: Browser, month: list[UUID]) -> None:
    assert month
    page = eves.read("/usage")
    assert "Nothing was spent" in page
    assert "Leeks" not in page
    assert browser.get("/usage").status_code == 303
