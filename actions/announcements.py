"""What workers and open pages hear of a user's jobs, as soon as the transaction has committed."""

from typing import Protocol
from uuid import UUID

import redis
import structlog
from sqlalchemy.orm import Session

from actions import wakeups
from gateways.live_events import JobEnded, JobQueued, LiveEvent, StopRequested
from models.database import after_commit
from models.schema.jobs import Job

log = structlog.get_logger()


class Publisher(Protocol):
    """Publishes live events of jobs that no worker has: the hub on the website."""

    def announce(self, conversation_id: UUID, job_id: UUID, event: LiveEvent) -> None:
        """Publish an event of a job to all who follow its conversation; it never raises."""
        ...


class StreamPublisher:
    """Publishes from a process that has no hub."""

    def announce(self, conversation_id: UUID, job_id: UUID, event: LiveEvent) -> None:
        """Publish an event of a job to all who follow its conversation; it never raises."""
        try:
            wakeups.streams().append(conversation_id, job_id, 0, event)
        except redis.RedisError as error:
            log.warning("live.lost", job_id=str(job_id), error=str(error))


def announce_queued(db: Session, job: Job, publisher: Publisher) -> None:
    """After the commit of `db`: wake a worker, and show the job where its conversation is open."""
    after_commit(db, lambda: _publish_queued(job, publisher))


def announce_cancelled(db: Session, job: Job, publisher: Publisher) -> None:
    """After the commit of `db`: stop the worker that runs the job, or show that none will."""
    after_commit(db, lambda: _publish_cancelled(job, publisher))


def _publish_queued(job: Job, publisher: Publisher) -> None:
    wakeups.answer(job.preferred_worker_id)
    publisher.announce(job.conversation_id, job.id, JobQueued())


def _publish_cancelled(job: Job, publisher: Publisher) -> None:
    if job.is_over:
        publisher.announce(job.conversation_id, job.id, JobEnded(job.status))
        wakeups.answer()
    else:
        wakeups.stop(job.id)
        publisher.announce(job.conversation_id, job.id, StopRequested())
