"""How a worker keeps hold of its jobs, and when it lets them go."""

from datetime import timedelta

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from models.jobs.cancellation import cancel
from models.schema.jobs import Job
from models.schema.users import User
from tasks.worker.leased_jobs import LeasedJob, LeasedJobs
from tests import factories

LONGEST_SECONDS = 60.0


@pytest.fixture
def held(db: Session, ada: User) -> LeasedJob:
    """A job of Ada's that this worker runs."""
    job = factories.running(db, ada)
    db.commit()
    return LeasedJob(job.id, job.user_id, job.conversation_id, job.attempt)


@pytest.fixture
def mine(held: LeasedJob) -> LeasedJobs:
    """All jobs of this worker; it asks for leases of an hour, which is easy to see."""
    mine = LeasedJobs(timedelta(hours=1), LONGEST_SECONDS)
    mine.add(held)
    return mine


def is_prolonged(db: Session, held: LeasedJob) -> bool:
    far = sa.func.clock_timestamp() + timedelta(minutes=30)
    found = sa.select(Job.id).where(Job.id == held.job_id, Job.lease_until > far)
    return db.scalar(found) is not None


def test_a_lease_is_prolonged(db: Session, mine: LeasedJobs, held: LeasedJob) -> None:
    assert not is_prolonged(db, held)

    mine.renew()

    assert is_prolonged(db, held)
    assert (held.is_lost, held.stop.is_set()) == (False, False)


def test_a_turn_that_hangs_is_given_up_at_last(
    db: Session, mine: LeasedJobs, held: LeasedJob
) -> None:
    held.since -= LONGEST_SECONDS + 1

    mine.renew()

    assert not is_prolonged(db, held)
    assert (held.is_lost, held.stop.is_set()) == (True, True)


def test_a_turn_whose_lease_is_lost_is_ended(
    db: Session, mine: LeasedJobs, held: LeasedJob
) -> None:
    db.execute(sa.update(Job).where(Job.id == held.job_id).values(attempt=2))

    mine.renew()

    assert not is_prolonged(db, held)
    assert (held.is_lost, held.stop.is_set()) == (True, True)


def test_a_turn_that_its_person_stops_is_ended(
    db: Session, ada: User, mine: LeasedJobs, held: LeasedJob
) -> None:
    cancel(db, ada.id, held.job_id)
    db.commit()

    mine.renew()

    assert (held.is_lost, held.stop.is_set()) == (False, True)
    assert held.is_stopped_by_person


def test_what_is_over_is_not_waited_for(mine: LeasedJobs, held: LeasedJob) -> None:
    assert not mine.wait_until_none(0)
    mine.remove(held)
    assert mine.wait_until_none(0)
    assert held.user_id not in mine.people()
