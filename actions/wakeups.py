"""Wakes the workers after a commit. A wake-up has no content: losing one costs a short wait."""

from datetime import timedelta
from functools import lru_cache
from uuid import UUID

import redis
import structlog
from dramatiq import Message
from dramatiq.errors import BrokerError
from sqlalchemy.orm import Session

from actions.broker import get_broker
from gateways.event_streams import Streams
from gateways.live_events import JobResumed
from gateways.wake_queue import WakeQueue
from models.database import after_commit
from models.schema.jobs import Job
from settings import get_settings

log = structlog.get_logger()

# The queue at which workers with room wait.
ALL_WORKERS = "workers"
# That of the messaging processes.
MESSENGERS = "messengers"
ANSWERS_QUEUE = "answers"
ANSWER_LATER = "answer_later"
WARM = "warm"
FORGET = "forget"
MAIL_QUEUE = "mail"
SEND_MAIL = "send_mail"
SEND_PUSHES = "send_pushes"
TOP_UP = "top_up"
BULK = "bulk"
REFUND = "refund"
# An old wake-up says nothing that the clock has not said since.
MAX_AGE_MS = 60_000
# A try that comes this late has been overtaken: its person has asked, or is not about to.
WARM_MAX_AGE_MS = 10_000
# The waits between the tries double; all of them together outlast the boot of a spare.
WARM_TRIES = 7
WARM_AGAIN_MS = 300


def answer(worker_id: UUID | None = None) -> None:
    """Tell a worker with room, or the one that goes first, of a job that may wait; never raises.

    Call it after the commit.
    """
    try:
        wake_queue().wake(own_queue(worker_id) if worker_id else ALL_WORKERS)
    except redis.RedisError as error:
        log.warning("wakeup.lost", to="workers", error=str(error))


def messengers() -> None:
    """Tell a messaging process that something came in or is to go out; it never raises."""
    try:
        wake_queue().wake(MESSENGERS)
    except redis.RedisError as error:
        log.warning("wakeup.lost", to=MESSENGERS, error=str(error))


def answer_later(wait: timedelta) -> None:
    """Tell a worker with room after `wait` that a job may be waiting; it never raises."""
    delay_ms = int(wait.total_seconds() * 1000)
    _enqueue(ANSWER_LATER, (), max_age_ms=MAX_AGE_MS, delay_ms=delay_ms)


def own_queue(worker_id: UUID) -> str:
    """Name the queue at which only this worker waits."""
    return f"worker:{worker_id}"


def warm(user_id: UUID, tries: int = WARM_TRIES) -> None:
    """Tell the workers that this person may be about to write; it never raises.

    A worker that hears of it first and has no room tells the others, `tries` times in all.
    """
    made = WARM_TRIES - tries
    delay_ms = WARM_AGAIN_MS * 2 ** (made - 1) if made else 0
    max_age_ms = WARM_MAX_AGE_MS + delay_ms
    _enqueue(WARM, (str(user_id), tries), max_age_ms=max_age_ms, delay_ms=delay_ms or None)


def forget(user_id: UUID) -> None:
    """Tell the workers that a person's files are to forget something; it never raises."""
    _enqueue(FORGET, (str(user_id),), max_age_ms=MAX_AGE_MS)


def mail() -> None:
    """Tell the workers that a mail may be due; it never raises."""
    _enqueue(SEND_MAIL, (), max_age_ms=MAX_AGE_MS, queue_name=MAIL_QUEUE)


def pushes() -> None:
    """Tell the workers that a push may be due; it never raises."""
    _enqueue(SEND_PUSHES, (), max_age_ms=MAX_AGE_MS, queue_name=MAIL_QUEUE)


def mail_after_commit(db: Session) -> None:
    """Tell the workers, as soon as `db` has committed, of the mail that was queued in it."""
    after_commit(db, mail)


def top_up(user_id: UUID) -> None:
    """Tell the workers that a person's credits are to be topped up; it never raises."""
    _enqueue(TOP_UP, (str(user_id),), max_age_ms=MAX_AGE_MS, delay_ms=None)


def bulk(order_id: UUID) -> None:
    """Tell the workers of a bulk order that is to be worked off; it never raises."""
    _enqueue(BULK, (str(order_id),), max_age_ms=MAX_AGE_MS)


def refund(order_id: UUID) -> None:
    """Tell the workers of a refund that Stripe is to be asked for; it never raises."""
    _enqueue(REFUND, (str(order_id),), max_age_ms=MAX_AGE_MS)


def resumed(job: Job) -> None:
    """Tell the workers, and the pages that show it, that a paused job goes on; it never raises."""
    answer(job.preferred_worker_id)
    try:
        streams().append(job.conversation_id, job.id, job.attempt, JobResumed())
    except redis.RedisError as error:
        log.warning("live.lost", job_id=str(job.id), error=str(error))


def _enqueue(
    actor_name: str,
    arguments: tuple[str | int, ...],
    *,
    max_age_ms: int,
    delay_ms: int | None = None,
    queue_name: str = ANSWERS_QUEUE,
) -> None:
    wake_up = Message[None](
        queue_name=queue_name,
        actor_name=actor_name,
        args=arguments,
        kwargs={},
        options={"max_age": max_age_ms},
    )
    try:
        get_broker().enqueue(wake_up, delay=delay_ms)
    except (redis.RedisError, BrokerError) as error:
        log.warning("wakeup.lost", actor=actor_name, error=str(error))


def stop(job_id: UUID) -> None:
    """Tell the worker that runs this job to look at its row now; it never raises."""
    try:
        streams().send_stop(job_id)
    except redis.RedisError as error:
        log.warning("stop.delayed", job_id=str(job_id), error=str(error))


@lru_cache(maxsize=1)
def streams() -> Streams:
    """The live events of this process, connected when first used."""
    return Streams(get_settings().redis_url.get_secret_value())


@lru_cache(maxsize=1)
def wake_queue() -> WakeQueue:
    """The queues of all workers, connected when first used."""
    return WakeQueue(get_settings().redis_url.get_secret_value())
