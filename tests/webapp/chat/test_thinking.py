"""A message may be thought about for longer: once, and as often as it is tried again."""

import sqlalchemy as sa
from sqlalchemy.orm import Session

from models import jobs
from models.ledger import limits
from models.ledger.limits import Limits
from models.schema.failure_codes import FailureCode
from models.schema.jobs import Job
from models.schema.users import User
from tests.webapp.browser import Browser

SWITCH = 'id="thinks-longer"'


def sent(db: Session) -> list[Job]:
    return list(db.scalars(sa.select(Job).order_by(Job.id)))


def test_the_switch_counts_for_the_message_that_it_came_with(
    adas: Browser, ada: User, db: Session
) -> None:
    assert ada
    assert SWITCH in adas.get("/chat/new").text
    adas.post("/chat", {"text": "Prove it.", "thinks_longer": "yes"})
    adas.post("/chat", {"text": "Thanks."})

    assert [job.thinks_longer for job in sent(db)] == [True, False]


def test_another_try_thinks_as_long(adas: Browser, ada: User, db: Session) -> None:
    assert ada
    adas.post("/chat", {"text": "Prove it.", "thinks_longer": "yes"})
    [job] = sent(db)
    jobs.fail(db, job, FailureCode.PROVIDER_DOWN)

    assert jobs.ask_again(db, job, model=job.model).thinks_longer


def test_it_stays_chosen_while_its_cost_is_asked_about(
    adas: Browser, ada: User, db: Session
) -> None:
    limits.choose(db, ada.id, Limits(message_micros=10_000))
    db.commit()

    page = adas.post("/chat", {"text": "Prove it.", "thinks_longer": "yes"}).text

    assert "This may cost about" in page
    assert "checked" in page[page.index(SWITCH) :][:120]
    assert sent(db) == []
