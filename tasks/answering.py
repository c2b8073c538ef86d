"""The main job: take one message, have OpenClaw answer it, write the answer down.

Three short transactions, none of them open while the agent runs: claim, answer, save. The claim's
attempt number is the proof, in each write, that the job is still ours.
"""

import dramatiq
import structlog

from agent.turn import AgentFailed, Answer
from gateways.s3_files import NotStored, StorageFailed
from models import jobs
from models.database import unit_of_work
from models.jobs import LeaseLost
from settings import get_settings
from tasks import nudges, outcomes, preparing
from tasks.books import TurnBooks
from tasks.broker import get_broker
from tasks.holding import HeldJob
from tasks.preparing import MessageGone
from tasks.process import WorkerProcess, current_process
from tasks.telling import Teller

log = structlog.get_logger()

UNEXPECTED = "Something on our side went wrong. You were not charged for this answer."
NO_FILES = "Your files could not be reached just now. You were not charged; please try again."
# Dramatiq's own limit is only the last resort behind the runtime's.
LIMIT_MARGIN_SECONDS = 120


def _time_limit_ms() -> int:
    return int((get_settings().job_time_limit_seconds + LIMIT_MARGIN_SECONDS) * 1000)


@dramatiq.actor(
    broker=get_broker(),
    actor_name=nudges.ANSWER_NEXT,
    queue_name=nudges.ANSWERS_QUEUE,
    time_limit=_time_limit_ms(),
)
def answer_next() -> None:
    """Take one waiting job, if there is one and a cell for it, and see it through."""
    process = current_process()
    held = _claim(process)
    if held is None:
        return
    process.held.add(held)
    try:
        with structlog.contextvars.bound_contextvars(
            job_id=str(held.job_id), user_id=str(held.user_id), attempt=held.attempt
        ):
            _see_through(process, held)
    finally:
        process.held.remove(held)
        # The next of this lane, or of somebody whom no cell was free for.
        nudges.answer()


def _claim(process: WorkerProcess) -> HeldJob | None:
    if process.draining.is_set():
        return None
    only = None if process.runtime.has_room() else process.runtime.hot_users()
    if only is not None and not only:
        return None
    with unit_of_work() as db:
        job = jobs.claim_next(db, process.id, process.lease, only=only)
        return HeldJob.of(job) if job else None


def _see_through(process: WorkerProcess, held: HeldJob) -> None:
    teller = Teller(process.streams, held.conversation_id, held.job_id, held.attempt)
    teller.tell("working")
    try:
        _answer(process, held, teller)
    except LeaseLost:
        process.runtime.discard(held.user_id)
        log.warning("job.lost")
    finally:
        teller.close()


def _answer(process: WorkerProcess, held: HeldJob, teller: Teller) -> None:
    try:
        answer = _run(process, held, teller)
    except MessageGone:
        outcomes.drop(held, teller)
    except AgentFailed as failure:
        outcomes.give_up(process, held, teller, failure)
    except LeaseLost:
        raise
    except Exception:
        log.exception("job.crashed")
        failure = AgentFailed("unexpected", UNEXPECTED, permanent=False)
        outcomes.give_up(process, held, teller, failure)
    else:
        outcomes.finish(process, held, teller, answer)


def _run(process: WorkerProcess, held: HeldJob, teller: Teller) -> Answer:
    try:
        turn = preparing.prepare(process.storage, held.job_id, held.attempt)
    except (StorageFailed, NotStored) as error:
        log.warning("files.unreachable", error=str(error))
        raise AgentFailed("storage_down", NO_FILES, permanent=False) from error
    books = TurnBooks(held.user_id, held.job_id, held.attempt)
    return process.runtime.run(turn, teller, books, held.stop)
