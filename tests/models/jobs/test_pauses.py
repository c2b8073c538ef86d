"""What admins pause is claimed by nobody, holds nobody else up, and goes on where it was."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy.orm import Session

from models import jobs
from models.base import new_id
from models.jobs import Source
from models.ops import switches
from models.ops.switches import Pause, PauseScope, Switches
from models.schema.jobs import Job
from models.schema.switches import SwitchVersion
from models.schema.users import User
from tests import factories

SwitchTo = Callable[..., None]
ALL = Pause(scope=PauseScope.ALL, sentence="Back at noon.")
DEMO = Pause(scope=PauseScope.PROVIDER, name="demo")
PIGEON = Pause(scope=PauseScope.CHANNEL, name="pigeon")


@pytest.fixture
def pause(db: Session) -> SwitchTo:
    """Leaves these pauses and no others."""

    def _pause(*pauses: Pause) -> None:
        version = switches.latest(db).version + 1
        given = Switches(pauses=pauses).model_dump(mode="json")
        rest = {"admin_id": new_id(), "admin_email": "olga@example.org", "reason": "Test."}
        db.add(SwitchVersion(version=version, switches=given, **rest))
        db.flush()
        switches.forget()

    return _pause


def by_pigeon(db: Session, user: User, model: str = "openai/one") -> Job:
    conversation = factories.conversation(db, user)
    return jobs.ask(db, conversation, "Coo?", model=model, source=Source("pigeon"))


def claimed(db: Session) -> Job | None:
    return factories.claim(db)


def test_while_all_is_paused_nothing_is_claimed(db: Session, ada: User, pause: SwitchTo) -> None:
    job = factories.job(db, ada)
    pause(ALL)
    assert claimed(db) is None
    assert jobs.count_claimable(db) == 0
    assert jobs.queue(db, new_id(), besides=()).people == 0
    assert jobs.find_pause(db, job) == ALL
    pause()
    found = claimed(db)
    assert found
    assert found.id == job.id
    assert jobs.find_pause(db, job) is None


def test_of_a_paused_provider_nothing_is_claimed_and_all_else_is(
    db: Session, ada: User, eve: User, pause: SwitchTo
) -> None:
    adas, eves = factories.job(db, ada), by_pigeon(db, eve)
    pause(DEMO)
    found = claimed(db)
    assert found
    assert found.id == eves.id
    assert claimed(db) is None
    assert (jobs.find_pause(db, adas), jobs.find_pause(db, eves)) == (DEMO, None)


def test_of_a_paused_channel_nothing_is_claimed_and_all_else_is(
    db: Session, ada: User, eve: User, pause: SwitchTo
) -> None:
    eves, adas = by_pigeon(db, eve), factories.job(db, ada)
    pause(PIGEON)
    found = claimed(db)
    assert found
    assert found.id == adas.id
    assert claimed(db) is None
    assert jobs.find_pause(db, eves) == PIGEON


def test_what_runs_runs_on(db: Session, ada: User, pause: SwitchTo) -> None:
    job = factories.running(db, ada)
    pause(ALL)
    assert job.id in jobs.renew(db, {job.id: job.attempt}, timedelta(seconds=30))
    factories.answer(db, job)
    db.refresh(job)
    assert job.is_over
