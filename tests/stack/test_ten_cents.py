"""Fifty messages at once on ten cents: never more is spent than there is, to the micro-dollar."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from uuid import UUID

import pytest
import sqlalchemy as sa

from models import ledger
from models.ledger import cost_breakdown
from models.schema.jobs import Job, JobStatus
from models.schema.users import User
from settings import Settings
from tests.house import House, wait_for

pytestmark = [pytest.mark.engine, pytest.mark.timeout(300), pytest.mark.xdist_group("house")]

TEN_CENTS = 100_000
SENDS = 50
AT_REST = (JobStatus.COMPLETED, JobStatus.FAILED, JobStatus.PAUSED)


@pytest.mark.long
def test_fifty_messages_at_once_spend_no_more_than_there_is(house: House) -> None:
    penny = house.person("Penny")
    penny.keep_only(TEN_CENTS)
    form = {
        "csrf_token": penny.token(),
        "text": "A story, please. [[demo: usage input=13000 output=900]]",
    }

    with ThreadPoolExecutor(SENDS) as pool:
        sent = [
            pool.submit(penny.browser.post, "/chat", data=form, timeout=120) for _ in range(SENDS)
        ]
        answers = Counter(one.result().status_code for one in sent)

    # Whoever has as many waiting as one person may have is told so.
    assert set(answers) <= {200, 422}
    assert answers[200] >= Settings.model_fields["max_waiting_jobs_per_user"].default
    jobs = wait_for(lambda: at_rest(house, penny.id), "every message to end or to wait", 240)
    assert len(jobs) == answers[200]

    with house.database() as db:
        user = db.get_one(User, penny.id)
        spent = TEN_CENTS - user.credits_balance_micros
        written = {job.id: cost_breakdown.receipt(db, job).total_micros for job in jobs}
        found = [one for ones in ledger.audit(db, penny.id).values() for one in ones]
    assert 0 < spent <= TEN_CENTS
    assert (user.credits_held_micros, found) == (0, [])
    assert penny.paid_micros() == sum(written.values()) == spent
    ended = Counter(job.status for job in jobs)
    assert ended[JobStatus.COMPLETED] > 1
    assert ended[JobStatus.PAUSED] + ended[JobStatus.FAILED] > 1, "the ten cents were enough"
    assert not any(written[job.id] for job in jobs if job.status is JobStatus.PAUSED)


def at_rest(house: House, user_id: UUID) -> list[Job]:
    """All messages of somebody, once none of them is answered or waits for its turn."""
    with house.database() as db:
        jobs = list(db.scalars(sa.select(Job).where(Job.user_id == user_id)))
    return jobs if all(job.status in AT_REST for job in jobs) else []
