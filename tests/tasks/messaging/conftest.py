"""A message of Ada's that is being answered, on a seam without messengers."""

import pytest
from sqlalchemy.orm import Session

from models.schema.jobs import Job
from tasks.messaging import following
from tests import factories
from tests.channels.fixtures import adas_bird, loft, pigeon
from tests.channels.loft import Hand, Loft

__all__ = ["adas_bird", "loft", "pigeon"]


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch, redis_url: str) -> None:
    """Look at answers at once."""
    assert redis_url
    monkeypatch.setattr(following, "LOOK_SECONDS", 0.01)
    monkeypatch.setattr(following, "FIRST_LOOK_SECONDS", 0.01)


@pytest.fixture
def running(loft: Loft, adas_bird: Hand, db: Session) -> Job:
    """A message of Ada's that a worker has just begun to answer."""
    adas_bird.write("What grows in shade?")
    job = factories.claim(db)
    assert job
    db.commit()
    return job
