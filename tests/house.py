# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
"""The whole product, started as `make run` starts it, and the people who use it.

Whatever a test does here it does as a person or as an accident would: over HTTP, or by killing a
process. It looks at the outcome in the database and in what the demo model was asked.
"""

import json
import os
import re
import signal
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from html import unescape
from pathlib import Path
from typing import Any, TypeVar
from uuid import UUID

import httpx2
import redis
import sqlalchemy as sa
from sqlalchemy.orm import Session

from embedded.stack import Stack
from models import ledger
from models.base import new_id
from models.ledger.entries import record
from models.schema.chat import Message, Role
from models.schema.jobs import Job, JobStatus
from models.schema.ledger import EntryKind, Transaction
from models.schema.model_calls import CallStatus, ModelCall
from models.schema.snapshots import StateSnapshot
from models.schema.users import User
from models.schema.workers import Worker
from tests import factories

Found = TypeVar("Found")

# A worker is noticed dead, its job tried again and its spare booted within a test's patience.
SETTINGS = {
    "JOB_LEASE_SECONDS": "6",
    "JOB_HEARTBEAT_SECONDS": "1",
    "SWEEP_SECONDS": "1",
    "JOB_RETRY_DELAY_SECONDS": "0.5",
    "PROVIDER_STALL_SECONDS": "8",
    "WORKER_DRAIN_SECONDS": "5",
    "CELL_SILENT_SECONDS": "40",
    # A turn that hangs ends while somebody still waits for it.
    "JOB_TIME_LIMIT_SECONDS": "60",
    "CELLS_PER_WORKER": "5",
    "SPARE_CELLS": "1",
    "PASSWORD_MEMORY_KIB": "64",
    "LOGIN_RATE_LIMIT": "1000 per minute",
    "POST_RATE_LIMIT": "10000 per minute",
    # Crowds are of one user where a test is about that user's money.
    "REQUESTS_AT_ONCE_PER_USER": "100",
    "SIGNUP_RATE_LIMIT": "1000 per minute",
    "MAIL_RATE_LIMIT": "1000 per minute",
    "VERIFY_EMAIL": "false",
    "SIGN_UP_BY_MAIL": "false",
    "RECONCILE_SECONDS": "5",
    "LOG_FORMAT": "json",
}
PATIENCE_SECONDS = 120
TOKEN = re.compile(r'<meta name="csrf-token" content="([^"]+)">')


def wait_for(
    look: Callable[[], Found | None], what: str, seconds: float = PATIENCE_SECONDS
) -> Found:
    """Look again and again until something is there; fail with `what` when it never is."""
    ends = time.monotonic() + seconds
    while time.monotonic() < ends:
        found = look()
        if found:
            return found
        time.sleep(0.05)
    raise AssertionError(f"{what}: not within {seconds:g} seconds")


class House:
    """A running stack."""

    def __init__(self, stack: Stack) -> None:
        self.stack = stack
        self.environment = stack.environment()
        url = self.environment["DATABASE_URL"]
        self._engine = sa.create_engine(sa.make_url(url).set(drivername="postgresql+psycopg"))
        # One for all that is looked at again and again: to make a client takes longer than to ask.
        self._http = httpx2.Client(timeout=10, verify=False)

    @property
    def url(self) -> str:
        return self.stack.url

    def close(self) -> None:
        self._engine.dispose()
        self._http.close()

    def database(self) -> Session:
        return Session(self._engine, expire_on_commit=False)

    def person(self, name: str, *, needs: str = "My garden") -> "Person":
        """Somebody new, signed up and introduced."""
        return Person(self, name, needs)

    def is_ready(self) -> bool:
        with suppress(httpx2.HTTPError):
            return self._http.get(f"{self.url}/readyz").status_code == 200
        return False

    def wait_for_spares(self) -> None:
        """Wait until a cell stands ready for somebody new, and none boots."""
        # What a worker said before may be of a spare that somebody has taken since.
        now = datetime.now(UTC)
        wait_for(lambda: self._spares(now) >= int(SETTINGS["SPARE_CELLS"]), "a spare")

    def _spares(self, said_after: datetime) -> int:
        with self.database() as db:
            # A worker that was killed has not said that its spares are gone.
            lately = sa.func.clock_timestamp() - timedelta(seconds=3)
            alive = sa.select(sa.func.coalesce(sa.func.sum(Worker.spare), 0)).where(
                Worker.stopped_at.is_(None), Worker.seen_at > sa.func.greatest(lately, said_after)
            )
            return int(db.scalar(alive) or 0)

    def redis(self) -> "redis.Redis":
        return redis.Redis.from_url(self.environment["REDIS_URL"])

    def recorded(self) -> list[dict[str, Any]]:
        """What the demo model was asked, oldest first."""
        return self._recorded("GET")

    def take_recorded(self) -> list[dict[str, Any]]:
        """Do as `recorded`, and let the demo model forget it."""
        return self._recorded("DELETE")

    def _recorded(self, method: str) -> list[dict[str, Any]]:
        address = f"{self.environment['DEMO_MODEL_URL']}/_recorded"
        return self._http.request(method, address).json()

    def asked_with(self, words: str) -> list[dict[str, Any]]:
        """The recorded requests in which these words stand."""
        return [one for one in self.recorded() if words in json.dumps(one["body"])]

    def processes(self, marks: Iterable[str]) -> list[int]:
        """The processes of this stack whose command line has one of `marks`."""
        own = _descendants(os.getpid())
        return [pid for pid in own if any(mark in _command(pid) for mark in marks)]

    def kill(self, *marks: str) -> None:
        """End processes as a crash would: they are not asked."""
        found = self.processes(marks)
        assert found, f"there is no process with {marks}"
        for pid in found:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)


class Person:
    """Somebody with a browser that shows no pictures."""

    def __init__(self, house: House, name: str, needs: str) -> None:
        self.house = house
        self.name = name
        self.email = f"{name.lower()}-{os.urandom(4).hex()}@example.org"
        self.browser = httpx2.Client(
            base_url=house.url, follow_redirects=True, timeout=30, verify=False
        )
        self.post("/signup", email=self.email, password=factories.PASSWORD)
        self.post("/onboarding", name=name, timezone="Europe/Berlin", needs=needs)
        with house.database() as db:
            self.id: UUID = db.scalars(sa.select(User.id).where(User.email == self.email)).one()

    def post(self, path: str, **form: str) -> httpx2.Response:
        """Send a form as the page would; an answer of 400 or more fails the test."""
        answer = self.try_post(path, **form)
        assert answer.status_code < 400, f"{path}: {answer.status_code} {answer.text[:500]}"
        return answer

    def try_post(self, path: str, **form: str) -> httpx2.Response:
        return self.browser.post(path, data={"csrf_token": self.token(), **form})

    def token(self) -> str:
        """What a form of this browser must carry."""
        found = TOKEN.search(self.browser.get("/").text)
        assert found
        return unescape(found[1])

    def ask(self, words: str, conversation: UUID | None = None) -> Job:
        """Send a message, in a new conversation unless one is given; return its job."""
        self.post(f"/chat/{conversation}/messages" if conversation else "/chat", text=words)
        return self.newest_job()

    def newest_job(self) -> Job:
        """The job of the message that they sent last."""
        with self.house.database() as db:
            return db.scalars(
                sa.select(Job).where(Job.user_id == self.id).order_by(Job.id.desc()).limit(1)
            ).one()

    def ask_and_wait(self, words: str, conversation: UUID | None = None) -> "Outcome":
        """Send a message and wait for whatever comes of it."""
        return self.outcome(self.ask(words, conversation))

    def outcome(self, job: Job, seconds: float = PATIENCE_SECONDS) -> "Outcome":
        """Wait until a job is over, and its files are saved if it was answered."""
        return wait_for(lambda: self._over(job.id), f"the end of “{job.id}”", seconds)

    def wait_for_words(self, job: Job, count: int = 3) -> None:
        """Wait until the answer is being written."""
        stream = self.house.redis()
        key = f"ev:{job.id}"
        wait_for(lambda: int(stream.xlen(key)) > count, "the first words of the answer")

    def entries(self) -> list[Transaction]:
        with self.house.database() as db:
            mine = sa.select(Transaction).where(Transaction.user_id == self.id)
            return list(db.scalars(mine.order_by(Transaction.id)))

    def assert_books_balance(self) -> None:
        """The balance is the sum of the entries, nothing is held, every call has its entry."""
        with self.house.database() as db:
            assert ledger.drift(db, self.id) == 0
            assert db.get_one(User, self.id).credits_held_micros == 0
            calls = db.scalars(sa.select(ModelCall).where(ModelCall.user_id == self.id)).all()
        booked = {entry.reference for entry in self.entries()}
        for call in calls:
            assert call.status is not CallStatus.OPEN
            if call.status is not CallStatus.FAILED:
                assert f"call:{call.id}" in booked

    def keep_only(self, micros: int) -> None:
        """Lose all credits but so many."""
        with self.house.database() as db, db.begin():
            user = ledger.lock_account(db, self.id)
            lost = Transaction(
                kind=EntryKind.ADJUSTMENT,
                amount_micros=micros - user.credits_balance_micros,
                reference=f"lost:{new_id()}",
            )
            assert record(db, user, lost)

    def paid_micros(self) -> int:
        """What was charged and not given back."""
        kinds = (EntryKind.CHARGE, EntryKind.REFUND)
        return -sum(entry.amount_micros for entry in self.entries() if entry.kind in kinds)

    def wait_until_saved(self, job: Job) -> None:
        wait_for(lambda: self._is_saved(job.id), "the files to be saved")

    def _is_saved(self, job_id: UUID) -> bool:
        with self.house.database() as db:
            saved = sa.select(StateSnapshot.id).where(StateSnapshot.job_id == job_id)
            return db.scalar(saved) is not None

    def _over(self, job_id: UUID) -> "Outcome | None":
        with self.house.database() as db:
            job = db.get_one(Job, job_id)
            if not job.is_over:
                return None
            answers = db.scalars(
                sa.select(Message).where(Message.job_id == job_id, Message.role == Role.ASSISTANT)
            ).all()
        return Outcome(job, [answer.text for answer in answers])


class Outcome:
    """How a job ended."""

    def __init__(self, job: Job, answers: list[str]) -> None:
        self.job = job
        self.answers = answers

    @property
    def answer(self) -> str:
        """The one answer; fails when there is none, or more than one."""
        assert self.job.status is JobStatus.COMPLETED, f"{self.job.status}: {self.job.failure_code}"
        assert len(self.answers) == 1
        return self.answers[0]


def _descendants(root: int) -> list[int]:
    parents: dict[int, int] = {}
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            with suppress(OSError):
                status = (folder / "stat").read_text()
                parents[int(folder.name)] = int(status.rpartition(")")[2].split()[1])
    found: list[int] = []
    layer = {root}
    while layer:
        layer = {pid for pid, parent in parents.items() if parent in layer}
        found += layer
    return found


def _command(pid: int) -> str:
    with suppress(OSError):
        return (
            Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
        )
    return ""
