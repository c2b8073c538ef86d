"""The queue, one of its messages, and the workers, as admins see and change them."""

import re
from collections.abc import Callable
from datetime import timedelta
from uuid import uuid4

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from models import jobs
from models.base import new_id, utc_now
from models.ops import fleet, queue_stats, workers
from models.ops.workers import Use
from models.schema.admins import AdminAction
from models.schema.failure_codes import FailureCode
from models.schema.jobs import Job, JobStatus
from models.schema.scaling import ScalingDecision, ScalingReason
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
    for (one,), name in ((found.models, factories.MODEL), (found.channels, "web")):
        assert (one.name, one.completed, one.failed) == (name, 20, 1)
        assert one.waits == found.whole.waits
    assert found.whole.completion_percent == 2000 / 21
    assert found.whole.waits.p50 is not None
    assert 9 <= found.whole.waits.p50 <= 11
    assert found.whole.runs.p95 is not None
    assert 36 <= found.whole.runs.p95 <= 40
    (why,) = found.failures
    assert (why.code, why.count) == (FailureCode.PROVIDER_DOWN, 1)


def test_of_very_many_the_newest_are_looked_at(
    olgas: Browser, db: Session, ada: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queue_stats, "SAMPLE", 10)
    for number in range(1, 21):
        done(db, ada, waited=1, ran=number)
    db.commit()
    found = queue_stats.read(db, utc_now(), timedelta(hours=1))
    assert (found.whole.count, found.whole.runs.p50) == (10, 15.5)
    assert timedelta(minutes=4) < found.length < timedelta(minutes=5, seconds=10)
    assert "Of the newest 10, which ended in 4 min" in " ".join(olgas.read("/admin/queue").split())


def test_its_pages_look_again_by_themselves(olgas: Browser, db: Session, ada: User) -> None:
    factories.running(db, factories.user(db, "grace@example.org"))
    job = factories.job(db, ada)
    worker = workers.register(db, new_id(), "host-a")
    db.commit()
    page = olgas.read("/admin/queue?state=pending")
    assert 'hx-get="/admin/queue/now"' in page
    (again,) = re.findall(r'hx-get="(/admin/queue/found[^"]*)"', page)
    assert "state=pending" in again
    found = olgas.read(again.replace("&amp;", "&"))
    assert found.count("/admin/queue/0") == 1
    assert str(job.id) in found
    assert "Running" in olgas.read("/admin/queue/now")
    assert 'hx-get="/admin/workers/now"' in olgas.read("/admin/workers")
    assert worker.host in olgas.read("/admin/workers/now")
    # What is typed is never replaced.
    assert "<form" not in found + olgas.read("/admin/workers/now")


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


def test_of_a_message_that_is_over_no_stop_is_logged(sams: Browser, db: Session, ada: User) -> None:
    job = factories.running(db, ada)
    factories.answer(db, job)
    db.commit()
    assert (
        sams.post(f"/admin/queue/{job.id}/stop", {**FORM, "key": str(uuid4())}).status_code == 303
    )
    assert "over already" in sams.read(f"/admin/queue/{job.id}")
    assert db.scalars(sa.select(AdminAction)).all() == []


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


def test_a_worker_tells_of_its_memory_and_its_boots(olgas: Browser, db: Session) -> None:
    worker = workers.register(db, new_id(), "host-a")
    db.commit()
    assert "not said yet" in olgas.read("/admin/workers")
    gigabyte = 1_000_000_000
    workers.report_use(db, worker.id, Use(3 * gigabyte, 5 * gigabyte, 14, 2, 12_400))
    db.commit()
    page = " ".join(olgas.read("/admin/workers").split())
    assert "3 GB in its cells, 5 GB free" in page
    assert '14, 2 failed; the last took <span class="whitespace-nowrap">12 s</span>' in page


def test_why_there_are_so_many_workers_is_said_in_words(
    olgas: Browser, db: Session, ada: User, adjust: Callable[..., None]
) -> None:
    worker = workers.register(db, new_id(), "host-a")
    workers.report(db, worker.id, sandbox="bwrap", capacity=4, spare=1, hot=0, busy=0)
    factories.job(db, ada)
    db.commit()
    page = olgas.read("/admin/workers")
    assert "Demand just now: 1, which is everybody who waits or is being answered. Room: 4." in page
    assert "as many as were started by hand" in page
    assert "Last decisions" not in page

    adjust(ECS_CLUSTER="c", ECS_WORKER_SERVICE="workers", MOST_WORKERS="9")
    numbers = {"active": 2, "draining": 1, "oldest_at": None}
    for reason, demand, wanted, before, desired in (
        (ScalingReason.DEMAND, 12, 5, 2, 5),
        (ScalingReason.CALM, 3, 2, 5, 5),
        (ScalingReason.RELEASE, 3, 2, 5, 5),
        (ScalingReason.DRAINED, 3, 2, 5, 4),
    ):
        given = {"demand": demand, "wanted": wanted, "desired_before": before, "desired": desired}
        fleet.note(db, ScalingDecision(reason=reason, **given, **numbers))
    db.commit()
    page = olgas.read("/admin/workers")
    for words in (
        "At least 1 and at most 9 workers run",
        "Started 3 more: a demand of 12 was more than the others had room for.",
        "Letting 1 finish and go: demand has been lower for a while (3).",
        "Letting 1 of the older release finish and go",
        "Stopped 1 that had finished all they had.",
        "2 wanted, 2 running, 1 finishing",
    ):
        assert words in page, words
    assert page.index("Stopped 1") < page.index("Started 3 more")
