"""The main job: take one message, have OpenClaw answer it, write the answer down.

Three short transactions, none of them open while the agent runs: claim, answer, save. The claim's
attempt number is the proof, in each write, that the job is still ours.
"""

import threading

import dramatiq
import structlog

from agent.turn import AgentFailed, Answer, Turn, TurnFailure
from gateways.s3_files import NotStored, StorageFailed
from models.jobs import Claim, LeaseLost
from tasks import erasing, nudges, outcomes, preparing
from tasks.books import TurnBooks
from tasks.broker import get_broker
from tasks.holding import HeldJob
from tasks.preparing import MessageGone, MustForget
from tasks.process import WorkerProcess
from tasks.telling import Teller

log = structlog.get_logger()


@dramatiq.actor(
    broker=get_broker(), actor_name=nudges.ANSWER_LATER, queue_name=nudges.ANSWERS_QUEUE
)
def answer_later() -> None:
    """Knock now that the wait between two attempts is over: this process may have no room."""
    nudges.answer()


def begin(process: WorkerProcess, claim: Claim) -> None:
    """See a claimed job through in a thread of its own."""
    held = HeldJob.of(claim)
    process.held.add(held)
    name = f"turn-{held.job_id}"
    threading.Thread(target=_turn, args=(process, held), name=name, daemon=True).start()


def _turn(process: WorkerProcess, held: HeldJob) -> None:
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
        process.held.remove(held)
        # The next of this lane, or somebody whom no cell was free for.
        process.look_again()


def _see_through(process: WorkerProcess, held: HeldJob) -> None:
    teller = Teller(process.streams, held.conversation_id, held.job_id, held.attempt)
    teller.working()
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
        failure = AgentFailed(TurnFailure.UNEXPECTED, permanent=False)
        outcomes.give_up(process, held, teller, failure)
    else:
        outcomes.finish(process, held, teller, answer)


def _run(process: WorkerProcess, held: HeldJob, teller: Teller) -> Answer:
    try:
        turn = _prepared(process, held)
    except (StorageFailed, NotStored) as error:
        log.warning("files.unreachable", error=str(error))
        raise AgentFailed(TurnFailure.STORAGE_DOWN, permanent=False) from error
    books = TurnBooks(held.user_id, held.job_id, held.attempt)
    return process.runtime.run(turn, teller, books, held.stop)


def _prepared(process: WorkerProcess, held: HeldJob) -> Turn:
    # While one conversation is being forgotten its person may delete the next.
    while True:
        try:
            return preparing.prepare(process.storage, held.job_id, held.attempt)
        except MustForget:
            erasing.before_turn(process, held.user_id, held.stop)
