"""What an answer cost, call by call."""

from collections.abc import Callable

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from models import jobs, ledger
from models.base import new_id
from models.chat import conversations
from models.ledger import CallCost, cost_breakdown
from models.schema.failure_codes import FailureCode
from models.schema.jobs import Job
from models.schema.ledger import Transaction
from models.schema.model_calls import CallStatus
from models.schema.users import User
from tests import factories
from tests.models.ledger.test_entries import closed
from tests.models.ledger.test_write_offs import failed
from tests.webapp.browser import Browser


@pytest.fixture
def answered(db: Session, ada: User) -> Job:
    """An answer of two calls, one of them counted by us."""
    job = factories.running(db, ada, "What grows in shade?")
    closed(db, job, 12_300, held=100_000)
    guessed = factories.open_call(db, job, 50_000)
    cost = CallCost(1_234, 56, 7_890, 321, 60, 100, "prices-1", is_estimated=True)
    ledger.close_call(db, call_id=guessed, status=CallStatus.CUT, cost=cost)
    factories.answer(db, job, "Ferns.", "<p>Ferns.</p>")
    db.commit()
    return job


def path(job: Job) -> str:
    return f"/chat/jobs/{job.id}/receipt"


def test_an_answer_leads_to_its_receipt(adas: Browser, answered: Job) -> None:
    assert f'href="{path(answered)}"' in adas.read(f"/chat/{answered.conversation_id}")
    page = adas.read(path(answered))
    for shown in ("$0.01", "Demo model", "1,234 tokens", "7,890 tokens", "321 tokens", "prices-1"):
        assert shown in page
    assert "2 calls to a model" in page
    assert "counted by us" in page
    assert "Not charged" not in page


def test_a_receipt_adds_up_to_the_ledger(db: Session, ada: User, answered: Job) -> None:
    jobs.ask(db, conversations.start(db, ada.id), "And in the sun?", model=answered.model)
    failed = factories.claim(db)
    assert failed
    closed(db, failed, 700)
    lost = factories.open_call(db, failed, 900)
    ledger.absorb_abandoned(db, failed.id, failed.attempt)
    jobs.fail(db, failed, FailureCode.UNEXPECTED)
    for job in (answered, failed):
        found = cost_breakdown.receipt(db, job)
        booked = sa.select(sa.func.sum(Transaction.amount_micros))
        assert found.total_micros == -int(
            db.scalar(booked.where(Transaction.job_id == job.id)) or 0
        )
        for line in found.lines:
            assert line.call.held_micros == line.released_micros + line.charged_micros
    assert [line.is_absorbed for line in found.lines] == [False, True]
    assert found.lines[1].call.id == lost
    assert (found.total_micros, found.refunded_micros) == (0, 700)


def test_what_the_provider_counted_beyond_the_hold_is_on_us(
    adas: Browser, ada: User, db: Session
) -> None:
    job = factories.running(db, ada)
    closed(db, job, 50_000, held=20_000)
    factories.answer(db, job)
    db.commit()

    page = adas.read(path(job))

    assert "more than was held beforehand. The rest is at our expense." in page
    assert "$0.02" in page
    assert "$0.05" not in page


def test_what_failed_says_that_it_was_not_charged(adas: Browser, ada: User, db: Session) -> None:
    job = factories.running(db, ada)
    closed(db, job, 700)
    jobs.fail(db, job, FailureCode.UNEXPECTED)
    db.commit()
    assert "Not charged" in adas.read(f"/chat/{job.conversation_id}")
    page = adas.read(path(job))
    assert "Not charged." in page
    assert "everything was given back" in page
    assert "No answer came of it." in page


def test_what_stands_although_it_failed_says_so(
    adas: Browser, ada: User, db: Session, adjust: Callable[..., None]
) -> None:
    adjust(ABSORBED_DAILY_LIMIT_MICROS="0")
    job = failed(db, ada, 70_000)
    db.commit()
    chat, receipt = adas.read(f"/chat/{job.conversation_id}"), adas.read(path(job))
    assert "You were charged $0.07" in chat
    assert "what we can give back in one day was used up" in receipt
    for page in (chat, receipt):
        assert "Not charged" not in page

    ledger.refund_by_hand(db, ada.id)
    db.commit()
    receipt = adas.read(path(job))
    assert "We looked into it and gave it back." in receipt
    assert "used up" not in receipt


def test_what_no_model_was_asked_for_says_so(adas: Browser, ada: User, db: Session) -> None:
    job = factories.job(db, ada)
    jobs.stop(db, job)
    db.commit()
    assert "Not charged" in adas.read(f"/chat/{job.conversation_id}")
    assert "No model was asked" in adas.read(path(job))


def test_a_call_that_the_provider_failed_is_listed(adas: Browser, ada: User, db: Session) -> None:
    job = factories.running(db, ada)
    call = factories.open_call(db, job, 700)
    nothing = CallCost(0, 0, 0, 0, 0, 0, "prices-1", is_estimated=False)
    ledger.close_call(db, call_id=call, status=CallStatus.FAILED, cost=nothing)
    jobs.fail(db, job, FailureCode.PROVIDER_DOWN)
    db.commit()
    page = adas.read(path(job))
    assert "sent no answer" in page
    assert "nothing was charged" in page


def test_a_receipt_outlives_its_conversation(adas: Browser, answered: Job) -> None:
    adas.post(f"/chat/{answered.conversation_id}/deletion")
    page = adas.read(path(answered))
    assert "$0.01" in page
    assert "shade" not in page


def test_nobody_reads_the_receipts_of_others(
    eves: Browser, browser: Browser, answered: Job
) -> None:
    assert eves.get(path(answered)).status_code == 404
    assert browser.get(path(answered)).status_code == 303
    assert eves.get(f"/chat/jobs/{new_id()}/receipt").status_code == 404
