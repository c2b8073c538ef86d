"""The queue, the workers and the clock."""

from typing import Self

from pydantic import Field, model_validator
from pydantic_settings import BaseSettings


class JobSettings(BaseSettings):
    """The queue, the workers and the clock."""

    # Jobs. A worker that is silent for a lease is presumed dead, and its jobs go to others.
    job_lease_seconds: float = Field(default=30, ge=1, le=600)
    job_heartbeat_seconds: float = Field(default=5, gt=0, le=60)
    job_time_limit_seconds: float = 600
    job_max_attempts: int = Field(default=3, ge=1, le=10)
    job_retry_delay_seconds: float = 2
    # After SIGTERM running turns may finish for this long; then they go back to the queue.
    worker_drain_seconds: float = 20
    # A worker that is still there so long after SIGTERM, because something hangs, ends at once: its
    # jobs then go on elsewhere as those of a dead one. Fargate kills after 120 seconds at most.
    worker_stop_seconds: float = 100
    # How often the clock looks for lost wake-ups and dead workers.
    sweep_seconds: float = Field(default=5, gt=0, le=300)
    # How often it audits the books.
    audit_seconds: float = 3600
    # What is over goes after so many days, unless it is about money: mails, links in them, alerts,
    # sessions, refusals of the free credit, workers. No month's limit is told of twice.
    kept_days: int = Field(default=90, ge=40)
    # A person's next job waits this long for the worker that holds their hot cell.
    hot_cell_preference_seconds: float = 2
    # One person may have this many messages waiting; the next one is refused with a notice.
    max_waiting_jobs_per_user: int = 20
    # So many people may wait for a worker at once; whoever comes then is asked to try again later.
    max_waiting_users: int = 5000

    @model_validator(mode="after")
    def _outlasts_a_heartbeat_that_is_late(self) -> Self:
        if self.job_lease_seconds < 2 * self.job_heartbeat_seconds:
            raise ValueError("JOB_LEASE_SECONDS must be twice JOB_HEARTBEAT_SECONDS or more")
        return self
