"""The banner of an assistant that is still starting."""

from sqlalchemy.orm import Session

from models.base import new_id
from models.ops import workers
from tests.webapp.browser import Browser


def test_the_banner_asks_again_until_a_worker_is_ready(adas: Browser, db: Session) -> None:
    page = adas.read("/settings")
    assert "Assistant engine starting" in page
    assert 'hx-get="/engine"' in page
    assert "Assistant engine starting" in adas.read("/engine")

    worker = workers.register(db, new_id(), "here")
    workers.report(db, worker.id, sandbox="bwrap", capacity=2, spare=1, hot=0, busy=0)
    db.commit()
    assert "starting" not in adas.read("/engine")
    assert 'hx-get="/engine"' not in adas.read("/settings")
