"""Research is offered where the web is searched, asked about at any price, and bounded by it."""

from collections.abc import Callable

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from gateways.s3_files import Storage
from models import jobs
from models.chat import conversations, research
from models.ledger import limits
from models.schema.chat import Conversation
from models.schema.jobs import Job
from models.schema.research import ResearchRequest
from models.schema.users import User
from tasks.worker import build_turn
from tests import factories
from tests.webapp.browser import Browser
from tests.webapp.chat.test_quotes import agreed, sent

FORM = {"text": "Which heat pump is best?", "research": "yes"}


@pytest.fixture(autouse=True)
def _searched(adjust: Callable[..., None]) -> None:  # pyright: ignore[reportUnusedFunction]
    adjust(SEARXNG_BASE_URL="http://127.0.0.1:9")


def test_it_is_offered_where_the_web_is_searched(
    adas: Browser, adjust: Callable[..., None]
) -> None:
    assert 'name="research"' in adas.read("/chat/new")
    adjust(SEARXNG_BASE_URL="")
    assert 'name="research"' not in adas.read("/chat/new")
    assert "The web cannot be searched" in adas.post("/chat", FORM).text


def test_its_price_is_agreed_to_first_and_bounds_it(adas: Browser, db: Session, ada: User) -> None:
    page = adas.post("/chat", FORM).text
    assert sent(db) == []
    assert "Research takes several searches" in page
    assert 'id="research"' in page
    assert "checked" in page.partition('id="research"')[2].partition(">")[0]
    quoted = int(agreed(page))
    assert limits.message_limit(ada) != quoted > 0
    less = adas.post("/chat", {**FORM, "agreed_micros": str(quoted - 1)}).text
    assert agreed(less) == str(quoted)
    assert sent(db) == []
    adas.post("/chat", {**FORM, "agreed_micros": str(quoted)})
    (job,) = sent(db)
    assert job.cost_limit_micros == quoted
    assert job.message_id
    assert research.is_requested(db, job.message_id)


def test_its_turn_knows_and_no_other_does(db: Session, ada: User, storage: Storage) -> None:
    job = factories.running(db, ada)
    assert job.message_id
    assert not build_turn.prepare(storage, job.id, job.attempt).is_research
    research.request(db, job.message_id)
    assert build_turn.prepare(storage, job.id, job.attempt).is_research


def test_it_goes_with_its_conversation(db: Session, ada: User) -> None:
    job = factories.running(db, ada)
    assert job.message_id
    research.request(db, job.message_id)
    jobs.stop(db, job)
    conversations.erase(db, db.get_one(Conversation, job.conversation_id))
    assert db.scalars(sa.select(ResearchRequest)).all() == []


def test_a_usual_message_is_none(adas: Browser, db: Session) -> None:
    adas.post("/chat", {"text": "Hello"})
    (job,) = db.scalars(sa.select(Job)).all()
    assert job.message_id
    assert not research.is_requested(db, job.message_id)
