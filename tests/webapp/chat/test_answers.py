"""Stop and Retry."""

import pytest
import sqlalchemy as sa
from flask import Flask
from sqlalchemy.orm import Session

from actions import wakeups
from gateways.live_events import JobEnded
from gateways.wake_queue import WakeQueue
from models import jobs, ledger
from models.base import new_id, utc_now
from models.chat import conversations
from models.people import users
from models.schema.failure_codes import FailureCode
from models.schema.jobs import Job, JobStatus
from models.schema.users import User
from tests import factories
from tests.factories import SOMEBODY
from tests.webapp.browser import Browser


@pytest.fixture(autouse=True)
def stops(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """What the workers were told to stop."""
    told: list[object] = []
    monkeypatch.setattr(wakeups, "stop", told.append)
    return told


def test_a_waiting_message_is_taken_back_at_once(
    adas: Browser, app: Flask, ada: User, db: Session, stops: list[object]
) -> None:
    job = factories.job(db, ada)
    db.commit()
    answer = adas.post(f"/jobs/{job.id}/cancellation")
    assert answer.location == f"/chat/{job.conversation_id}"
    db.refresh(job)
    assert job.status is JobStatus.CANCELLED
    assert [event.payload for event in app.extensions["hub"].told(job.id)] == [
        JobEnded("cancelled")
    ]
    assert stops == []
    page = adas.read(answer.location)
    assert 'data-state="stopped"' in page
    assert "Ask again" in page


def test_a_running_answer_is_asked_to_stop(
    adas: Browser, ada: User, db: Session, stops: list[object]
) -> None:
    job = factories.running(db, ada)
    db.commit()
    assert adas.post_part(f"/jobs/{job.id}/cancellation").status_code == 204
    db.refresh(job)
    assert job.status is JobStatus.RUNNING
    assert job.stop_requested_at is not None
    assert stops == [job.id]
    page = adas.read(f"/chat/{job.conversation_id}")
    assert ">Stopping<" in page
    assert "/cancellation" not in page


def test_what_is_over_stays_as_it_is(
    adas: Browser, ada: User, db: Session, stops: list[object]
) -> None:
    job = factories.running(db, ada)
    factories.answer(db, job, "Done.", "<p>Done.</p>")
    db.commit()
    assert adas.post_part(f"/jobs/{job.id}/cancellation").status_code == 204
    db.refresh(job)
    assert job.status is JobStatus.COMPLETED
    assert stops == []


def test_a_stopped_answer_keeps_what_was_written(adas: Browser, ada: User, db: Session) -> None:
    job = factories.running(db, ada)
    jobs.stop(db, job, answer="Half", html="<p>Half</p>")
    db.commit()
    page = adas.read(f"/chat/{job.conversation_id}")
    assert "<p>Half</p>" in page
    assert "Stopped" in page


def test_a_failed_answer_says_why_and_can_be_asked_for_again(
    adas: Browser, ada: User, db: Session
) -> None:
    job = factories.running(db, ada)
    jobs.fail(db, job, FailureCode.PROVIDER_DOWN)
    db.commit()
    page = adas.read(f"/chat/{job.conversation_id}")
    assert "The model's provider did not answer." in page
    assert adas.post(f"/jobs/{job.id}/retry").location == f"/chat/{job.conversation_id}"
    again = db.scalars(sa.select(Job).where(Job.user_id == ada.id).order_by(Job.id.desc())).first()
    assert again is not None
    assert (again.status, again.message_id) == (JobStatus.PENDING, job.message_id)
    page = adas.read(f"/chat/{job.conversation_id}")
    assert "The model's provider did not answer." not in page
    assert page.count('class="run"') == 1


def test_an_answer_is_asked_for_once_however_often_retry_is_pressed(
    adas: Browser, ada: User, db: Session
) -> None:
    job = factories.running(db, ada)
    jobs.fail(db, job, FailureCode.PROVIDER_DOWN)
    db.commit()
    assert adas.post_part(f"/jobs/{job.id}/retry").status_code == 204
    assert adas.post_part(f"/jobs/{job.id}/retry").status_code == 422
    assert len(db.scalars(sa.select(Job.id).where(Job.user_id == ada.id)).all()) == 2


@pytest.mark.parametrize("has_live_files", [True, False])
def test_the_worker_that_goes_first_is_told_at_its_own_door(
    adas: Browser, ada: User, db: Session, redis_url: str, has_live_files: bool
) -> None:
    job = factories.running(db, ada)
    jobs.fail(db, job, FailureCode.PROVIDER_DOWN)
    if has_live_files:
        users.set_affinity(ada, SOMEBODY, utc_now())
    db.commit()

    adas.post(f"/jobs/{job.id}/retry")

    doors = [wakeups.own_queue(SOMEBODY), wakeups.ALL_WORKERS]
    told, untold = doors if has_live_files else reversed(doors)
    wake_queue = WakeQueue(redis_url)
    assert wake_queue.heard(told, 10)
    assert not wake_queue.heard(untold, 1)


def test_nobody_stops_or_retries_what_is_anothers(
    eves: Browser, browser: Browser, ada: User, db: Session
) -> None:
    job = factories.job(db, ada)
    db.commit()
    for act in ("cancellation", "retry"):
        assert eves.post(f"/jobs/{job.id}/{act}").status_code == 404
        assert eves.post(f"/jobs/{new_id()}/{act}").status_code == 404
        assert browser.post(f"/jobs/{job.id}/{act}").location.startswith("/login")
    db.refresh(job)
    assert job.status is JobStatus.PENDING


def test_nothing_is_asked_again_in_a_deleted_conversation(
    adas: Browser, ada: User, db: Session
) -> None:
    job = factories.job(db, ada)
    ledger.lock_account(db, ada.id)
    jobs.stop(db, job)
    conversations.erase(db, conversations.find_own(db, ada.id, job.conversation_id))
    db.commit()
    assert adas.post(f"/jobs/{job.id}/retry").status_code == 404
