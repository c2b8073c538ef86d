"""The queue, one of its messages, the workers, and profit, as admins see and change them."""

import csv
import io
from collections.abc import Callable
from datetime import timedelta
from uuid import uuid4

import sqlalchemy as sa
from sqlalchemy.orm import Session

from models import jobs, ledger
from models.base import new_id, utc_now
from models.ops import profit, queue_stats, workers
from models.schema.admins import AdminAction
from models.schema.failure_codes import FailureCode
from models.schema.jobs import Job, JobStatus
from models.schema.rollups import UserDay
from models.schema.users import User
from models.schema.workers import Worker
from tests import factories
from tests.webapp.browser import Browser

FORM = {"reason": "It was asked for.", "confirmed": "yes"}


def done(db: Session, user: User, *, waited: float, ran: float) -> Job:
    """A message that waited and ran so many seconds."""
    job = factories.running(db, user)
    factories.answer(db, job)
    job.created_at = utc_now() - timedelta(minutes=5)
    job.started_at = began = job.created_at + timedelta(seconds=waited)
    job.finished_at = began + timedelta(seconds=ran)
    db.flush()
    return job


def failed(db: Session, user: User) -> Job:
    job = factories.running(db, user)
    jobs.fail(db, job, FailureCode.PROVIDER_DOWN)
    db.flush()
    return job


def test_waits_and_run_times_are_percentiles_of_what_ended(db: Session, ada: User) -> None:
    for number in range(1, 21):
        done(db, ada, waited=number, ran=2 * number)
    failed(db, ada)
    found = queue_stats.read(db, utc_now(), timedelta(hours=1))
    (model,) = found.models
    assert (model.model, model.completed, model.failed) == (factories.MODEL, 20, 1)
    assert found.whole.completion_percent == 2000 / 21
    assert found.whole.waits.p50 is not None
    assert 9 <= found.whole.waits.p50 <= 11
    assert found.whole.runs.p95 is not None
    assert 36 <= found.whole.runs.p95 <= 40
    (why,) = found.failures
    assert (why.code, why.count) == (FailureCode.PROVIDER_DOWN, 1)


def test_an_empty_queue_has_a_page(olgas: Browser) -> None:
    page = olgas.read("/admin/queue")
    assert "nobody waits" in page
    assert "None fits that." in page


def test_messages_are_listed_by_state_code_and_model(
    olgas: Browser, db: Session, ada: User
) -> None:
    answered, lost = done(db, ada, waited=1, ran=1), failed(db, ada)
    db.commit()
    for query, there, not_there in (
        ("state=failed", lost, answered),
        ("state=completed", answered, lost),
        ("code=provider_down", lost, answered),
    ):
        page = olgas.read(f"/admin/queue?{query}")
        assert f"/admin/queue/{there.id}" in page, query
        assert f"/admin/queue/{not_there.id}" not in page, query
    assert "None fits that." in olgas.read("/admin/queue?model=nobody/nothing")


def test_one_message_shows_its_calls_and_what_happened(
    olgas: Browser, sams: Browser, db: Session, ada: User
) -> None:
    job = factories.running(db, ada)
    factories.charge(db, job, 40_000)
    factories.answer(db, job)
    db.commit()
    page = olgas.read(f"/admin/queue/{job.id}")
    for words in ("Claimed by a worker", "Call of the model ends", "Answered", "$0.04", "$0.02"):
        assert words in page
    assert "$0.04" not in sams.read(f"/admin/queue/{job.id}")
    assert olgas.get(f"/admin/queue/{uuid4()}").status_code == 404


def test_a_message_is_stopped_once_and_logged(sams: Browser, db: Session, ada: User) -> None:
    job = factories.job(db, ada)
    db.commit()
    given = {**FORM, "key": str(uuid4())}
    for _ in range(2):
        assert sams.post(f"/admin/queue/{job.id}/stop", given).status_code == 303
    db.refresh(job)
    assert job.status is JobStatus.CANCELLED
    (entry,) = db.scalars(sa.select(AdminAction))
    assert (entry.before, entry.after["status"]) == ({"status": "pending"}, "cancelled")
    assert (entry.user_id, entry.job_id) == (ada.id, job.id)
    assert "Message stopped" in sams.read(f"/admin/queue/{job.id}")


def test_a_failed_message_is_tried_again_once(sams: Browser, db: Session, ada: User) -> None:
    job = failed(db, ada)
    db.commit()
    given = {**FORM, "key": str(uuid4())}
    for _ in range(2):
        assert sams.post(f"/admin/queue/{job.id}/retry", given).status_code == 303
    again = db.scalars(sa.select(Job).where(Job.message_id == job.message_id, Job.id != job.id))
    assert again.one().status is JobStatus.PENDING
    refused = sams.post(f"/admin/queue/{job.id}/retry", {**FORM, "key": str(uuid4())})
    assert refused.status_code == 422
    assert "is being answered" in refused.text
    unsure = sams.post(f"/admin/queue/{job.id}/retry", {"reason": "x", "key": str(uuid4())})
    assert "tick the box" in unsure.text


def test_workers_are_alive_draining_silent_or_gone(
    olgas: Browser, db: Session, ada: User, adjust: Callable[..., None]
) -> None:
    adjust(RELEASE="v1.2.3")
    assert "No worker was heard of" in olgas.read("/admin/workers")
    known: dict[str, Worker] = {}
    for name in ("alive", "draining", "silent", "stopped"):
        known[name] = workers.register(db, new_id(), f"host-{name}")
        workers.report(db, known[name].id, sandbox="bwrap", capacity=4, spare=1, hot=1, busy=1)
    workers.drain(db, known["draining"].id)
    workers.sign_off(db, known["stopped"].id)
    db.execute(
        sa.update(Worker)
        .where(Worker.id == known["silent"].id)
        .values(seen_at=utc_now() - timedelta(hours=2))
    )
    job = factories.running(db, ada, worker=known["alive"].id)
    factories.answer(db, job)
    db.commit()
    page = olgas.read("/admin/workers")
    assert page.count("v1.2.3") == 4
    for name in known:
        after = page.split(f"host-{name}</h2>")[1]
        assert f">{name}</span>" in after[:400], name
    assert "1 turn ended, 0 failed" in page.split("host-alive</h2>")[1][:3000]


def test_profit_is_what_is_worked_out_by_hand(db: Session, ada: User, eve: User) -> None:
    """By hand, in micro-dollars, at $0.06 an hour and 2.9 % + $0.30.

    Ada: 2,000,000 revenue, 1,200,000 providers; 30 minutes are 30,000; two top-ups of $10 are
    580,000 + 600,000 in fees: 2,000,000 - 1,200,000 - 30,000 - 1,180,000 = -410,000.
    Eve: 9,000,000 revenue, 5,000,001 providers, 1 ms is 0.0167 and rounds to 0, no fees, and
    1,000,000 went back: 2,999,999.
    """
    since, until = profit.month_of(utc_now(), 0)
    db.add_all(
        (
            UserDay(
                user_id=ada.id, begins_at=since, messages=10, revenue_micros=2_000_000,
                cost_micros=1_200_000, busy_ms=1_800_000, topped_up_micros=20_000_000, top_ups=2,
            ),
            UserDay(
                user_id=eve.id, begins_at=since, revenue_micros=4_000_000, cost_micros=5_000_001,
                busy_ms=1,
            ),
            UserDay(
                user_id=eve.id, begins_at=since + timedelta(days=27), revenue_micros=5_000_000,
                gone_micros=1_000_000,
            ),
            UserDay(user_id=eve.id, begins_at=until, revenue_micros=77),
            UserDay(user_id=eve.id, begins_at=since - timedelta(days=1), revenue_micros=77),
        )
    )  # fmt: skip
    db.flush()
    winners = profit.read(db, since, until, profit.Order.WINNERS)
    losers = profit.read(db, since, until, profit.Order.LOSERS)
    assert [(one.user_id, one.profit_micros) for one in winners] == [
        (eve.id, 2_999_999),
        (ada.id, -410_000),
    ]
    assert [one.user_id for one in losers] == [ada.id, eve.id]
    assert losers[0].fees_micros == 1_180_000
    assert losers[0].compute_micros == 30_000
    sums = profit.read_sums(db, since, until)
    assert (sums.users, sums.profit_micros) == (2, 2_589_999)


def test_profit_is_handed_out_as_csv(olgas: Browser, db: Session, ada: User) -> None:
    since, _ = profit.month_of(utc_now(), 0)
    ada.email = "=cmd@example.org"
    db.add(UserDay(user_id=ada.id, begins_at=since, revenue_micros=1_234_567))
    db.commit()
    assert "$1.23" in olgas.read("/admin/profit")
    answer = olgas.get("/admin/profit.csv")
    assert answer.mimetype == "text/csv"
    (row,) = csv.DictReader(io.StringIO(answer.text))
    assert row["revenue_usd"] == row["profit_usd"] == "1.234567"
    assert row["email"] == "'=cmd@example.org"
    assert "There was nothing." in olgas.read("/admin/profit?back=3")
    assert ledger.drift(db, ada.id) == 0
