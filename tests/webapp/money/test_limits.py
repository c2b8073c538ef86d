"""The limits that a person sets for themselves, and what happens at one."""

import pytest
from sqlalchemy.orm import Session

from models import jobs
from models.ledger import limits
from models.ledger.limits import Limits
from models.schema.failure_codes import FailureCode
from models.schema.jobs import Job, JobStatus
from models.schema.users import User
from tests import factories
from tests.models.ledger.test_entries import closed
from tests.webapp.browser import Browser

DOLLAR = 1_000_000


@pytest.fixture
def at_limit(db: Session, ada: User) -> Job:
    """A message of Ada's that reached its limit with some words written."""
    job = factories.running(db, ada)
    closed(db, job, 200_000)
    jobs.fail(
        db,
        job,
        FailureCode.MESSAGE_LIMIT,
        answer="The first half",
        html="<p>The first half</p>",
    )
    db.commit()
    return job


def test_the_page_shows_what_was_spent_and_the_usual_limit(
    adas: Browser, ada: User, db: Session
) -> None:
    closed(db, factories.running(db, ada), 123_400)
    db.commit()
    page = adas.read("/limits")
    assert page.count("$0.12") == 2
    assert "no limit" in page
    assert "The usual is $0.25, the most $2.00." in page


def test_limits_are_set_and_shown(adas: Browser, ada: User, db: Session) -> None:
    form = {"message": "0.40", "day": "$ 2", "month": "20.5"}
    assert adas.post("/limits", form).location == "/limits"
    page = adas.read("/limits")
    assert "Your limits hold from now on" in page
    assert 'value="0.40"' in page
    assert "of $2.00" in page
    db.refresh(ada)
    assert ada.message_limit_micros == 400_000
    assert (ada.day_limit_micros, ada.month_limit_micros) == (2 * DOLLAR, 20_500_000)


def test_an_empty_field_takes_a_limit_away(adas: Browser, ada: User, db: Session) -> None:
    limits.choose(db, ada.id, Limits(400_000, DOLLAR, DOLLAR))
    db.commit()
    adas.post("/limits", {"day": "1"})
    db.refresh(ada)
    assert (ada.message_limit_micros, ada.month_limit_micros) == (None, None)
    assert ada.day_limit_micros == DOLLAR


@pytest.mark.parametrize("typed", ["much", "-1", "0", "1e3", "0.001", "1,50", "999999", "NaN"])
def test_what_is_no_amount_is_refused_and_stays_in_its_field(
    adas: Browser, ada: User, db: Session, typed: str
) -> None:
    refused = adas.post("/limits", {"day": typed})
    assert refused.status_code == 422
    assert "amount in dollars" in refused.text
    assert f'value="{typed}"' in refused.text
    db.refresh(ada)
    assert ada.day_limit_micros is None


def test_nobody_sets_or_sees_the_limits_of_others(
    eves: Browser, browser: Browser, ada: User, db: Session
) -> None:
    limits.choose(db, ada.id, Limits(day_micros=7_770_000))
    db.commit()
    eves.post("/limits", {"day": "5", "user_id": str(ada.id)})
    assert "7.77" not in eves.read("/limits")
    assert browser.get("/limits").status_code == 303
    db.refresh(ada)
    assert ada.day_limit_micros == 7_770_000


def test_a_limit_is_not_set_without_the_forms_token(adas: Browser, ada: User, db: Session) -> None:
    assert adas.client.post("/limits", data={"day": "1"}).status_code == 400
    db.refresh(ada)
    assert ada.day_limit_micros is None


def test_at_its_limit_a_message_keeps_its_words_and_may_go_on(
    adas: Browser, at_limit: Job, db: Session
) -> None:
    page = adas.read(f"/chat/{at_limit.conversation_id}")
    assert "<p>The first half</p>" in page
    assert "reached the most that it may cost" in page
    assert "Go on (up to $0.50 more)" in page
    assert "Retry" not in page

    went = adas.post(f"/jobs/{at_limit.id}/continuation")
    assert went.location == f"/chat/{at_limit.conversation_id}"
    page = adas.read(went.location)
    assert "<p>The first half</p>" in page
    assert "Go on" not in page
    further = factories.claim(db)
    assert further
    assert (further.message_id, further.cost_limit_micros) == (at_limit.message_id, 500_000)
    again = adas.post_part(f"/jobs/{at_limit.id}/continuation")
    assert again.status_code == 422


def test_nobody_lets_the_messages_of_others_go_on(eves: Browser, at_limit: Job) -> None:
    assert eves.post(f"/jobs/{at_limit.id}/continuation").status_code == 404


def test_what_did_not_reach_its_limit_cannot_go_on(adas: Browser, ada: User, db: Session) -> None:
    job = factories.running(db, ada)
    jobs.fail(db, job, FailureCode.UNEXPECTED)
    db.commit()
    assert adas.post_part(f"/jobs/{job.id}/continuation").status_code == 422
    db.refresh(job)
    assert job.status is JobStatus.FAILED


def test_at_the_limit_of_a_day_nothing_is_sent_and_the_words_stay(
    adas: Browser, ada: User, db: Session
) -> None:
    limits.choose(db, ada.id, Limits(day_micros=50_000))
    job = factories.running(db, ada)
    closed(db, job, 50_000)
    factories.answer(db, job)
    db.commit()
    refused = adas.post("/chat", {"text": "One more thing."})
    assert refused.status_code == 422
    assert "begins anew at midnight" in refused.text
    assert "One more thing.</textarea>" in refused.text
