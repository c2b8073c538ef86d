"""What an answer was made from stands below it, for its user alone, and nothing of it is loaded."""

import pytest
from sqlalchemy.orm import Session

from models import ledger
from models.chat import sources
from models.chat.sources import Page
from models.ledger import CallCost
from models.ledger.searches import open_search
from models.schema.jobs import Job
from models.schema.model_calls import CallStatus
from models.schema.users import User
from tests import factories
from tests.webapp.browser import Browser

PAGES = (
    Page("http://ferries.example/timetable", "Timetable <b>of</b> the ferry"),
    Page("https://www.gull-island.example/", "Gull Island"),
    Page("http://unused.example/", "Found and not used"),
)


@pytest.fixture
def job(db: Session, ada: User) -> Job:
    job = factories.running(db, ada)
    sources.note(db, job, PAGES, is_read=False)
    sources.note(db, job, PAGES[:1], is_read=True)
    return job


def test_what_was_read_or_cited_is_listed(adas: Browser, db: Session, job: Job) -> None:
    factories.answer(db, job, "It sails [2].", "<p>It sails [2].</p>")
    page = adas.read(f"/chat/{job.conversation_id}")
    assert 'href="http://ferries.example/timetable"' in page
    raw = adas.get(f"/chat/{job.conversation_id}").text
    assert "Timetable &lt;b&gt;of&lt;/b&gt; the ferry" in raw
    assert '<span class="source-letter" aria-hidden="true">G</span>' in page
    assert '<span class="source-site">gull-island.example</span>' in page
    assert "unused.example" not in page


def test_what_another_attempt_found_is_no_source(adas: Browser, db: Session, job: Job) -> None:
    job.attempt += 1
    db.flush()
    factories.answer(db, job, "It sails [1].", "<p>It sails [1].</p>")
    assert 'class="sources"' not in adas.read(f"/chat/{job.conversation_id}")


def test_an_answer_without_any_has_no_list(adas: Browser, db: Session, ada: User) -> None:
    job = factories.running(db, ada)
    factories.answer(db, job, "Hello [1]!", "<p>Hello [1]!</p>")
    assert 'class="sources"' not in adas.read(f"/chat/{job.conversation_id}")


def test_a_search_stands_on_the_receipt_and_the_usage_page(
    adas: Browser, db: Session, ada: User, job: Job
) -> None:
    call_id = open_search(db, ada, job, engine="brave", held_micros=8_334)
    cost = CallCost(0, 0, 0, 0, 5_000, 8_334, "settings-5000+m40", is_estimated=False)
    ledger.close_call(db, call_id=call_id, status=CallStatus.COMPLETED, cost=cost)
    factories.answer(db, job)
    receipt = adas.read(f"/chat/jobs/{job.id}/receipt")
    assert "1 web search" in receipt
    assert "tokens" not in receipt
    assert "Web searches" in adas.read("/usage")
