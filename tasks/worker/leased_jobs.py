"""The jobs that this process runs, and how it keeps hold of them."""

import threading
import time
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from models import jobs
from models.base import utc_now
from models.database import unit_of_work
from models.jobs import Claim


@dataclass
class LeasedJob:
    """A job that was claimed here. `stop` ends its turn; the rest says why."""

    job_id: UUID
    user_id: UUID
    conversation_id: UUID
    attempt: int
    asked_at: datetime = field(default_factory=utc_now)
    stop: threading.Event = field(default_factory=threading.Event)
    since: float = field(default_factory=time.monotonic)
    is_lost: bool = False
    is_stopped_by_person: bool = False

    @classmethod
    def of(cls, claim: Claim) -> "LeasedJob":
        return cls(
            claim.job_id, claim.user_id, claim.conversation_id, claim.attempt, claim.asked_at
        )


class LeasedJobs:
    """All of them, safe to use from many threads."""

    def __init__(self, lease: timedelta, longest_seconds: float) -> None:
        """Keep each job for `longest_seconds` at most: a turn that hangs gives it up at last."""
        self._lease, self._longest_seconds = lease, longest_seconds
        self._lock = threading.Lock()
        self._ended = threading.Condition(self._lock)
        self._held: dict[UUID, LeasedJob] = {}

    def __len__(self) -> int:
        return len(self._held)

    def add(self, held: LeasedJob) -> None:
        """Keep hold of a job; an earlier attempt at it that is still here is lost."""
        with self._lock:
            before = self._held.get(held.job_id)
            self._held[held.job_id] = held
        if before is not None:
            before.is_lost = True
            before.stop.set()

    def remove(self, held: LeasedJob) -> None:
        """Let go of a job, unless a later attempt at it is here by now."""
        with self._lock:
            if self._held.get(held.job_id) is held:
                del self._held[held.job_id]
            self._ended.notify_all()

    def wait_for_earlier(self, held: LeasedJob, seconds: float) -> None:
        """Wait until nothing of the user is here that began before this job, or for so long."""
        with self._ended:
            self._ended.wait_for(lambda: not self._has_earlier(held), timeout=seconds)

    def _has_earlier(self, held: LeasedJob) -> bool:
        return any(
            one is not held and one.user_id == held.user_id and one.since < held.since
            for one in self._held.values()
        )

    def all(self) -> list[LeasedJob]:
        with self._lock:
            return list(self._held.values())

    def has(self, job_id: UUID) -> bool:
        return job_id in self._held

    def people(self) -> set[UUID]:
        """Whose jobs they are."""
        return {held.user_id for held in self.all()}

    def wait_until_none(self, seconds: float) -> bool:
        """Return True once nothing is held, or False after so long."""
        with self._ended:
            return self._ended.wait_for(lambda: not self._held, timeout=seconds)

    def renew(self) -> None:
        """Prolong all leases; end the turns that are no longer ours or that the person stopped."""
        mine = self.all()
        if not mine:
            return
        eldest = time.monotonic() - self._longest_seconds
        alive = {held.job_id: held.attempt for held in mine if held.since > eldest}
        with unit_of_work() as db:
            kept = jobs.renew(db, alive, self._lease)
        for held in mine:
            if held.job_id not in kept:
                # It may also have ended properly in between; then nobody looks at these any more.
                held.is_lost = True
                held.stop.set()
            elif kept[held.job_id]:
                held.is_stopped_by_person = True
                held.stop.set()
