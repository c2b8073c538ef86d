"""How a turn can end, and what is written down for each end. Every write proves the lease first."""

import enum
from datetime import timedelta
from typing import assert_never

import structlog
from sqlalchemy.orm import Session

from actions import billing_emails, long_work, wakeups
from agent.turn import AgentFailed, Answer, TurnFailure
from gateways.live_events import JobEnded, JobPaused, RetryScheduled
from models import database, jobs, ledger
from models.base import utc_now
from models.database import unit_of_work
from models.jobs import FinishedAnswer
from models.ledger import alerts
from models.people import users
from models.schema.failure_codes import FailureCode
from models.schema.jobs import Job
from models.schema.ledger import WriteOffReason
from tasks.worker import noting, saving
from tasks.worker.events import EventPublisher
from tasks.worker.leased_jobs import LeasedJob
from tasks.worker.process import SAVE_TIME, WorkerProcess
from untrusted import rendering

log = structlog.get_logger()


class CellAfter(enum.Enum):
    """What becomes of a cell whose turn failed."""

    # It goes on, as it was no fault of the cell: so an outage costs no new boot each time.
    KEPT = enum.auto()
    ENDED = enum.auto()
    # It is ended too, and another one may do better at once.
    REPLACED = enum.auto()


def cell_after(code: TurnFailure) -> CellAfter:
    """Say what becomes of a cell whose turn failed like this.

    A provider's refusal ends it: what was refused would be refused with every later message.
    """
    match code:
        case (
            TurnFailure.NO_CREDIT
            | TurnFailure.FROZEN
            | TurnFailure.MESSAGE_LIMIT
            | TurnFailure.DAY_LIMIT
            | TurnFailure.MONTH_LIMIT
            | TurnFailure.ABSORBED_LIMIT
            | TurnFailure.TOO_MANY_CALLS
            | TurnFailure.TOO_COSTLY
            | TurnFailure.BEYOND_HOLD
            | TurnFailure.BOOKS_UNAVAILABLE
            | TurnFailure.PROVIDER_DOWN
        ):
            return CellAfter.KEPT
        case TurnFailure.CELL_DIED | TurnFailure.OUT_OF_MEMORY | TurnFailure.NO_ANSWER:
            return CellAfter.REPLACED
        case (
            TurnFailure.PROVIDER_REFUSED
            | TurnFailure.MODEL_WITHDRAWN
            | TurnFailure.MODEL_UNPRICED
            | TurnFailure.CONVERSATION_TOO_LARGE
            | TurnFailure.CONTENT_NOT_SENT
            | TurnFailure.TIME_LIMIT
            | TurnFailure.STUCK
            | TurnFailure.TOO_MANY_FILES
            | TurnFailure.DISK_FULL
            | TurnFailure.ENGINE_UNAVAILABLE
            | TurnFailure.BUSY
            | TurnFailure.STILL_BUSY
            | TurnFailure.STATE_UNAVAILABLE
            | TurnFailure.STATE_DAMAGED
            | TurnFailure.STATE_TOO_LARGE
            | TurnFailure.STATE_NOT_SAVED
            | TurnFailure.STORAGE_DOWN
            | TurnFailure.STOPPED
            | TurnFailure.LEASE_LOST
            | TurnFailure.UNEXPECTED
        ):
            return CellAfter.ENDED
        case _:
            assert_never(code)


def finish(
    process: WorkerProcess, held: LeasedJob, publisher: EventPublisher, answer: Answer
) -> None:
    """Write the answer and close the job; then save what the turn changed."""
    publisher.close()
    noting.take_over(process, held)
    html = rendering.render(answer.text, job_id=held.job_id)
    process.commit_loop.complete(
        FinishedAnswer(
            held.job_id,
            held.user_id,
            held.attempt,
            answer.text,
            html,
            is_unwatched=_is_unwatched(process, held),
        )
    )
    publisher.publish(JobEnded("completed"))
    log.info("job.completed")
    saving.save(process, held)


def _is_unwatched(process: WorkerProcess, held: LeasedJob) -> bool:
    """Look, before the transaction, whether somebody watches an answer that took long."""
    took = utc_now() - held.asked_at
    is_long = took >= timedelta(seconds=process.settings.long_work_seconds)
    return is_long and long_work.is_unwatched(held.conversation_id)


def give_up(
    process: WorkerProcess, held: LeasedJob, publisher: EventPublisher, failure: AgentFailed
) -> None:
    """End a turn that brought no answer: stopped, handed back, tried again or failed."""
    publisher.close()
    # The turn before may still be saved: its files are not to go with the cell.
    process.held.wait_for_earlier(held, SAVE_TIME.total_seconds())
    is_lost = held.is_lost or failure.code is TurnFailure.LEASE_LOST
    is_stopped = held.is_stopped_by_person and not is_lost
    # A Stop may come while a turn fails, or a moment after: that makes no cell well.
    is_ended_by_stop = is_stopped and failure.code is TurnFailure.STOPPED
    is_sound = is_ended_by_stop or cell_after(failure.code) is CellAfter.KEPT
    if not is_sound:
        # What the cell now knows of this turn must not be there when it is tried again.
        process.runtime.discard(held.user_id)
    if is_lost:
        log.warning("job.lost")
        return
    if is_sound:
        noting.take_over(process, held)
    if is_stopped:
        _stop(process, held, publisher, is_sound=is_sound)
    elif process.draining.is_set() and failure.code is TurnFailure.STOPPED:
        _requeue(process, held, publisher, timedelta(0), failure)
    elif failure.permanent or held.attempt >= process.settings.job_max_attempts:
        _fail(process, held, publisher, failure)
    else:
        is_cells = cell_after(failure.code) is CellAfter.REPLACED
        wait = timedelta(0) if is_cells else jobs.retry_delay(held.attempt)
        _requeue(process, held, publisher, wait, failure)
    if is_sound:
        saving.save(process, held)


def drop(held: LeasedJob, publisher: EventPublisher) -> None:
    """Close a job whose conversation was deleted while it waited."""
    publisher.close()
    with unit_of_work() as db:
        jobs.stop(db, jobs.lock_lease(db, held.job_id, held.attempt))


def _stop(
    process: WorkerProcess, held: LeasedJob, publisher: EventPublisher, *, is_sound: bool
) -> None:
    said = publisher.said
    html = rendering.render(said, job_id=held.job_id)
    with unit_of_work() as db:
        job = jobs.lock_lease(db, held.job_id, held.attempt)
        _note_cell(db, process, held, is_kept=is_sound)
        jobs.stop(db, job, answer=said, html=html, was_shown=publisher.has_shown)
    publisher.publish(JobEnded("cancelled"))
    log.info("job.stopped")


def _fail(
    process: WorkerProcess, held: LeasedJob, publisher: EventPublisher, failure: AgentFailed
) -> None:
    """Write the failure down; see `models.jobs.charging` for what is kept of it and paid.

    Who ran dry before the first word is answered once there are credits again.
    """
    html = rendering.render(publisher.said, job_id=held.job_id)
    is_unwatched = _is_unwatched(process, held)
    with unit_of_work() as db:
        job = jobs.lock_lease(db, held.job_id, held.attempt)
        _note_cell(db, process, held, is_kept=cell_after(failure.code) is CellAfter.KEPT)
        runs_dry = failure.code is TurnFailure.NO_CREDIT and not publisher.said
        is_paused = runs_dry and jobs.pause(db, job)
        if not is_paused:
            _write_failure(db, job, publisher, failure, html)
            if is_unwatched:
                long_work.tell_over(db, job.id)
    if is_paused and job.is_over:
        publisher.publish(JobEnded("cancelled"))
        log.info("job.stopped")
    elif is_paused:
        publisher.publish(JobPaused())
        log.info("job.paused")
    else:
        _tell_failure(publisher, failure)


def _requeue(
    process: WorkerProcess,
    held: LeasedJob,
    publisher: EventPublisher,
    wait: timedelta,
    failure: AgentFailed,
) -> None:
    """Let the job be tried again, unless the user would have to pay for this attempt too.

    One whose user has pressed Stop, of which we have not heard yet, is over.
    """
    html = rendering.render(publisher.said, job_id=held.job_id)
    with unit_of_work() as db:
        job = jobs.lock_lease(db, held.job_id, held.attempt)
        reason = WriteOffReason.BEGUN_AGAIN
        back = ledger.refund_job(db, job.id, attempt=held.attempt, reason=reason)
        _note_cell(db, process, held, is_kept=cell_after(failure.code) is CellAfter.KEPT)
        if back.standing_micros:
            _write_failure(db, job, publisher, failure, html)
        else:
            jobs.requeue(db, job, wait=wait)
    if back.standing_micros:
        _tell_failure(publisher, failure)
        return
    if job.is_over:
        publisher.publish(JobEnded("cancelled"))
        log.info("job.stopped")
        return
    publisher.publish(RetryScheduled())
    log.warning("job.handed_back", code=failure.code, wait_seconds=wait.total_seconds())
    if wait:
        wakeups.answer_later(wait)
    else:
        wakeups.answer()


def _write_failure(
    db: Session, job: Job, publisher: EventPublisher, failure: AgentFailed, html: str
) -> None:
    code = FailureCode(failure.code)
    jobs.fail(
        db,
        job,
        code,
        was_shown=publisher.has_shown,
        answer=publisher.said,
        html=html,
    )
    raised = alerts.raise_absorbed(db, job.user_id, code)
    raised += alerts.raise_reached(db, job.user_id, code)
    billing_emails.tell_alerts(db, raised)


def _tell_failure(publisher: EventPublisher, failure: AgentFailed) -> None:
    publisher.publish(JobEnded("failed"))
    log.warning("job.failed", code=failure.code)


def _note_cell(db: Session, process: WorkerProcess, held: LeasedJob, *, is_kept: bool) -> None:
    user = ledger.lock_account(db, held.user_id)
    if is_kept:
        users.set_affinity(user, process.id, database.clock(db) + SAVE_TIME)
    else:
        users.forget_cell(user)
