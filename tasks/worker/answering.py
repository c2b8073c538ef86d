"""The main job: take one message, have OpenClaw answer it, write the answer down.

Three short transactions, none of them open while the agent runs: claim, answer, save. The claim's
attempt number is the proof, in each write, that the job is still ours.
"""

import threading

import dramatiq
import structlog

from actions import wakeups
from actions.broker import get_broker
from agent.turn import AgentFailed, Answer, Turn, TurnFailure
from gateways.s3_files import NotStored, StorageFailed
from models.jobs import Claim, LeaseLost
from tasks.worker import build_turn, forgetting, outcomes
from tasks.worker.build_turn import MessageGone, MustForget
from tasks.worker.call_ledger import TurnCallLedger
from tasks.worker.events import EventPublisher
from tasks.worker.leased_jobs import LeasedJob
from tasks.worker.process import WorkerProcess
from tasks.worker.tools import turn_web

log = structlog.get_logger()


@dramatiq.actor(
    broker=get_broker(), actor_name=wakeups.ANSWER_LATER, queue_name=wakeups.ANSWERS_QUEUE
)
def answer_later() -> None:
    """Wake a worker now that the wait for another attempt is over: this one may have no room."""
    wakeups.answer()


def begin(process: WorkerProcess, claim: Claim) -> None:
    """See a claimed job through in a thread of its own."""
    held = LeasedJob.of(claim)
    process.held.add(held)
    name = f"turn-{held.job_id}"
    thread = threading.Thread(target=_turn, args=(process, held), name=name, daemon=True)
    try:
        thread.start()
    except RuntimeError:
        # Its lease runs out, and another worker may have room for a thread.
        process.held.remove(held)
        raise


def _turn(process: WorkerProcess, held: LeasedJob) -> None:
    try:
        with structlog.contextvars.bound_contextvars(
            job_id=str(held.job_id), user_id=str(held.user_id), attempt=held.attempt
        ):
            _see_through(process, held)
    except Exception:
        # Its lease runs out, and another attempt is made; not in a cell that remembers this one.
        log.exception("turn.broke_off", job_id=str(held.job_id))
        process.runtime.discard(held.user_id)
    finally:
        turn_web.forget(held.job_id, held.attempt)
        process.held.remove(held)
        # The next of this lane, or somebody whom no cell was free for.
        process.look_again()


def _see_through(process: WorkerProcess, held: LeasedJob) -> None:
    publisher = EventPublisher(process.streams, held.conversation_id, held.job_id, held.attempt)
    publisher.working()
    try:
        _answer(process, held, publisher)
    except LeaseLost:
        process.runtime.discard(held.user_id)
        log.warning("job.lost")
    finally:
        publisher.close()


def _answer(process: WorkerProcess, held: LeasedJob, publisher: EventPublisher) -> None:
    try:
        answer = _run(process, held, publisher)
    except MessageGone:
        outcomes.drop(held, publisher)
    except AgentFailed as failure:
        outcomes.give_up(process, held, publisher, failure)
    except LeaseLost:
        raise
    except Exception:
        log.exception("job.crashed")
        failure = AgentFailed(TurnFailure.UNEXPECTED, permanent=False)
        outcomes.give_up(process, held, publisher, failure)
    else:
        outcomes.finish(process, held, publisher, answer)


def _run(process: WorkerProcess, held: LeasedJob, publisher: EventPublisher) -> Answer:
    try:
        turn = _prepared(process, held)
    except (StorageFailed, NotStored) as error:
        log.warning("files.unreachable", error=str(error))
        raise AgentFailed(TurnFailure.STORAGE_DOWN, permanent=False) from error
    books = TurnCallLedger(held.user_id, held.job_id, held.attempt)
    return process.runtime.run(turn, publisher, books, held.stop)


def _prepared(process: WorkerProcess, held: LeasedJob) -> Turn:
    # While one conversation is being forgotten its person may delete the next.
    while True:
        try:
            return build_turn.prepare(process.storage, held.job_id, held.attempt)
        except MustForget:
            forgetting.before_turn(process, held)
