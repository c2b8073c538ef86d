"""Scaling in small: real workers without OpenClaw, a real clock, a stand-in for ECS."""

import random
import subprocess
import sys
import threading
import time
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

import sqlalchemy as sa

from actions import wakeups
from models import jobs
from models.chat import conversations
from models.database import unit_of_work
from models.schema.jobs import Job, JobStatus
from models.schema.users import User
from settings import PROJECT_DIR
from tests.embedded.fake_ecs.served import ServedEcs, served_ecs
from tests.factories import MODEL

WORKER = (sys.executable, "-m", "tests.tasks.scaling.light_worker")
SETTINGS = {
    "CELLS_PER_WORKER": "4",
    "SCALING_SECONDS": "0.5",
    "SCALING_CALM_SECONDS": "3",
    "JOB_HEARTBEAT_SECONDS": "0.5",
    "JOB_LEASE_SECONDS": "3",
    "SWEEP_SECONDS": "1",
    "WORKER_DRAIN_SECONDS": "1",
    "JOB_MAX_ATTEMPTS": "3",
    "HOT_CELL_PREFERENCE_SECONDS": "0",
    "LOG_LEVEL": "WARNING",
}


@dataclass(frozen=True)
class Ends:
    """How the jobs of a run ended, and what their users waited for the first moment of it."""

    statuses: Mapping[str, int]
    waits: list[float]
    second_attempts: int


@contextmanager
def small(environment: Mapping[str, str], **given: str) -> Generator[ServedEcs]:
    """Run the stand-in with one worker, and a clock that scales it."""
    whole = {**environment, **SETTINGS, **given}
    with served_ecs(WORKER, whole, "--desired", "1", "--start-seconds", "0.5") as ecs:
        clock = subprocess.Popen(
            [sys.executable, "-m", "tasks.scheduler"],
            cwd=PROJECT_DIR,
            env={**whole, **ecs.environment()},
        )
        try:
            yield ecs
        finally:
            clock.terminate()
            clock.wait(20)


def send(owner: User, seconds: float) -> None:
    """Send a message whose turn takes so long."""
    with unit_of_work() as db:
        talk = conversations.start(db, owner.id)
        jobs.ask(db, talk, f"{seconds:.2f}", model=MODEL)
    wakeups.answer()


def send_all(
    people: list[User], per_second: float, seconds: float, *, mean: float, seed: int = 1
) -> threading.Thread:
    """Send messages of these people, in turns, for so long, in a thread of its own."""
    chance = random.Random(seed)

    def _send() -> None:
        until, turn = time.monotonic() + seconds, 0
        while time.monotonic() < until:
            send(people[turn % len(people)], min(chance.expovariate(1 / mean), 4 * mean))
            turn += 1
            time.sleep(chance.expovariate(per_second))

    thread = threading.Thread(target=_send, daemon=True)
    thread.start()
    return thread


def unfinished() -> int:
    """Count the jobs that are not over."""
    with unit_of_work() as db:
        is_open = Job.status.in_((JobStatus.PENDING, JobStatus.RUNNING))
        return db.scalar(sa.select(sa.func.count()).where(is_open)) or 0


def ends() -> Ends:
    """Read how all jobs ended."""
    waited = sa.extract("epoch", Job.started_at - Job.created_at)
    with unit_of_work() as db:
        counted = db.execute(sa.select(Job.status, sa.func.count()).group_by(Job.status)).all()
        begun = sa.select(waited).where(Job.started_at.is_not(None))
        waits = [float(one) for one in db.scalars(begun)]
        again = db.scalar(sa.select(sa.func.count()).where(Job.attempt > 1)) or 0
    return Ends({str(status): count for status, count in counted}, waits, again)
