"""The jobs that this process runs, and how it keeps hold of them."""

import threading
from dataclasses import dataclass, field
from datetime import timedelta
from uuid import UUID

from models import jobs
from models.database import unit_of_work
from models.jobs import Job


@dataclass
class HeldJob:
    """A job that was claimed here. `stop` ends its turn; the rest says why."""

    job_id: UUID
    user_id: UUID
    conversation_id: UUID
    attempt: int
    stop: threading.Event = field(default_factory=threading.Event)
    is_lost: bool = False
    is_stopped_by_person: bool = False

    @classmethod
    def of(cls, job: Job) -> "HeldJob":
        return cls(job.id, job.user_id, job.conversation_id, job.attempt)


class HeldJobs:
    """All of them, safe to use from many threads."""

    def __init__(self, lease: timedelta) -> None:
        self._lease = lease
        self._lock = threading.Lock()
        self._held: dict[UUID, HeldJob] = {}

    def __len__(self) -> int:
        return len(self._held)

    def add(self, held: HeldJob) -> None:
        with self._lock:
            self._held[held.job_id] = held

    def remove(self, held: HeldJob) -> None:
        with self._lock:
            self._held.pop(held.job_id, None)

    def all(self) -> list[HeldJob]:
        with self._lock:
            return list(self._held.values())

    def has(self, job_id: UUID) -> bool:
        return job_id in self._held

    def renew(self) -> None:
        """Prolong all leases; end the turns that are no longer ours or that the person stopped."""
        mine = self.all()
        if not mine:
            return
        with unit_of_work() as db:
            kept = jobs.renew(db, {held.job_id: held.attempt for held in mine}, self._lease)
        for held in mine:
            if held.job_id not in kept:
                # It may also have ended properly in between; then nobody looks at these any more.
                held.is_lost = True
                held.stop.set()
            elif kept[held.job_id]:
                held.is_stopped_by_person = True
                held.stop.set()
