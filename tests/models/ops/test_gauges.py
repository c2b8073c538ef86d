"""The numbers that alarms watch."""

from datetime import timedelta

from sqlalchemy.orm import Session

from models import jobs
from models.base import new_id, utc_now
from models.ops import gauges, workers
from models.schema.failure_codes import FailureCode
from models.schema.jobs import Job
from models.schema.users import User
from models.schema.workers import Worker
from tests import factories


def test_a_quiet_house_has_nothing_to_tell(db: Session) -> None:
    seen = vars(gauges.read(db))
    assert set(seen.values()) == {0}


def test_who_waits_and_who_could_answer(db: Session, ada: User, eve: User) -> None:
    first = factories.job(db, ada)
    first.ready_at = utc_now() - timedelta(seconds=90)
    factories.job(db, eve)
    for sandbox, capacity, spare in (("jail", 4, 1), ("no cells", 0, 0), ("", 0, 0)):
        worker = workers.register(db, new_id(), "here")
        workers.report(
            db, worker.id, sandbox=sandbox, capacity=capacity, spare=spare, hot=0, busy=0
        )
    gone = workers.register(db, new_id(), "here")
    db.get_one(Worker, gone.id).seen_at = utc_now() - timedelta(hours=1)
    db.flush()

    seen = gauges.read(db)

    assert (seen.demand, seen.waiting) == (2, 2)
    assert 90 <= seen.oldest_wait_seconds < 100
    assert (seen.workers_active, seen.workers_ready, seen.workers_without_cells) == (3, 1, 1)
    assert seen.cells == 4


def test_failures_are_a_rate_once_there_are_enough(db: Session, ada: User) -> None:
    for number in range(10):
        job = factories.running(db, ada)
        if number < 3:
            jobs.fail(db, job, FailureCode.PROVIDER_DOWN)
        else:
            factories.answer(db, job)
        if number == 8:
            assert gauges.read(db).turn_failures_percent == 0
    assert gauges.read(db).turn_failures_percent == 30
    for job in db.query(Job):
        job.finished_at = utc_now() - timedelta(minutes=6)
    db.flush()
    assert gauges.read(db).turn_failures_percent == 0
