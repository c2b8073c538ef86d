"""The people of a drill, each in a thread; their browsers try again when the site is away."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar
from uuid import UUID

import httpx2
import sqlalchemy as sa
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from models.base import new_id, utc_now
from models.schema.chat import Message
from models.schema.jobs import Job, JobStatus
from models.schema.snapshots import StateSnapshot
from tests.drill import payments
from tests.drill.plan import Life, Line, recalling, telling
from tests.house import House, Person

Found = TypeVar("Found")

PATIENCE_SECONDS = 240.0
SAVING_SECONDS = 60.0
# How often somebody says a thing again that came to nothing.
ATTEMPTS = 8
AGAIN_SECONDS = 1.0


@dataclass
class PartialAnswer:
    """What happened to the messages of one person, as their browser saw it."""

    # Marks of messages that the site said it has.
    accepted: list[str] = field(default_factory=list[str])
    # Marks of messages of which the browser knows nothing, since the connection broke.
    unknown: list[str] = field(default_factory=list[str])
    refused: int = 0
    # What they gave up waiting for.
    impatient: list[str] = field(default_factory=list[str])


class Talker:
    """Lives one life of the plan, once there is room at the `door`.

    First they tell the assistant a secret, until it is kept; at last they ask for it.
    """

    def __init__(self, house: House, life: Life, door: threading.Semaphore) -> None:
        self.life, self.told = life, PartialAnswer()
        self._door = door
        self.person = Person(house, f"U{life.number:03d}", "Nothing much")
        self._house = house
        self._conversation: UUID | None = None
        self._csrf = self.person.token()
        self._thread = threading.Thread(target=self._live, name=self.person.name, daemon=True)

    @property
    def id(self) -> UUID:
        return self.person.id

    def start(self) -> None:
        self._thread.start()

    def is_at_it(self) -> bool:
        return self._thread.is_alive()

    def _live(self) -> None:
        with self._door:
            self._insist(telling, until=self._is_saved)
            for burst in self.life.bursts:
                for line in burst:
                    if line.tops_up:
                        payments.top_up(self.person, self._csrf)
                    self._say(line)
                self._wait_until_idle()
            self._insist(recalling, until=self._is_answered)

    def _insist(
        self, say: Callable[[Life, int], Line], until: Callable[[Session, Job], bool]
    ) -> None:
        """Say a thing, and again while it comes to nothing."""
        for attempt in range(ATTEMPTS):
            line = say(self.life, attempt)
            self._say(line)
            self._wait_until_idle()
            if self._came_true(line.mark, until):
                return
        self.told.impatient.append(f"{say.__name__}, {ATTEMPTS} times")

    def _came_true(self, mark: str, until: Callable[[Session, Job], bool]) -> bool:
        """Tell whether a message was answered, and what must follow has followed soon enough."""
        ends = time.monotonic() + SAVING_SECONDS
        while time.monotonic() < ends:
            job = self._try(lambda db: _job(db, self.id, mark))
            if job is None or (job.is_over and job.status is not JobStatus.COMPLETED):
                return False
            if self._try(lambda db, job=job: until(db, job)):
                return True
            time.sleep(AGAIN_SECONDS)
        return False

    @staticmethod
    def _is_answered(_: Session, job: Job) -> bool:
        return job.status is JobStatus.COMPLETED

    @staticmethod
    def _is_saved(db: Session, job: Job) -> bool:
        saved = sa.select(StateSnapshot.id).where(StateSnapshot.job_id == job.id)
        return db.scalar(saved) is not None

    def _say(self, line: Line) -> None:
        if line.begins:
            self._conversation = None
        address = f"/chat/{self._conversation}/messages" if self._conversation else "/chat"
        # The same form is sent until it is taken.
        form = {"csrf_token": self._csrf, "text": line.words, "sent_key": str(new_id())}
        for _ in range(30):
            try:
                answer = self.person.browser.post(address, data=form, timeout=60)
            except httpx2.HTTPError:
                self.told.unknown.append(line.mark)
                if self._is_recorded(line.mark):
                    return
            else:
                if answer.status_code < 400:
                    self.told.accepted.append(line.mark)
                    self._note_conversation(line.mark)
                    return
                if answer.status_code < 500:
                    self.told.refused += 1
            time.sleep(AGAIN_SECONDS)
        self.told.impatient.append("a message to be taken")

    def _is_recorded(self, mark: str) -> bool:
        """Look, as a person would, whether the message stands in the chat before trying again."""
        return self._try(lambda db: _message(db, self.id, mark)) is not None

    def _note_conversation(self, mark: str) -> None:
        message = self._try(lambda db: _message(db, self.id, mark))
        if message is not None:
            self._conversation = message.conversation_id

    def _wait_until_idle(self) -> None:
        """Wait for the end of all that was said; lose patience when nothing of it ends for long."""
        unfinished = sa.select(sa.func.count()).where(
            Job.user_id == self.id, Job.status.in_(("pending", "running"))
        )
        left, ends = None, time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < ends:
            found = self._try(lambda db: db.scalar(unfinished))
            if found == 0:
                return
            if found is not None and found != left:
                left, ends = found, time.monotonic() + PATIENCE_SECONDS
            time.sleep(0.3)
        first = self._try(lambda db: _first_in_line(db, self.id)) or "nothing that can be seen"
        self.told.impatient.append(f"{left} messages of which none ended, first {first}")

    def _try(self, look: Callable[[Session], Found]) -> Found | None:
        """Look into the database; None when it is away."""
        try:
            with self._house.database() as db:
                return look(db)
        except SQLAlchemyError:
            return None


def _first_in_line(db: Session, user_id: UUID) -> str:
    """Say how it stands with what somebody waits for, at the time that the drill's lines tell."""
    job = db.scalars(sa.select(Job).where(Job.user_id == user_id, Job.is_head)).first()
    if job is None:
        return "no job"
    begun = f"{job.started_at:%H:%M:%S}" if job.started_at else "never"
    return (
        f"job {job.id}, {job.status} since {begun} in attempt {job.attempt}, asked"
        f" {job.created_at:%H:%M:%S}, due {job.ready_at:%H:%M:%S}, at {utc_now():%H:%M:%S}"
    )


def _message(db: Session, user_id: UUID, mark: str) -> Message | None:
    mine = sa.select(Message).where(Message.user_id == user_id, Message.role == "user")
    return db.scalars(mine.where(Message.text.startswith(mark)).limit(1)).first()


def _job(db: Session, user_id: UUID, mark: str) -> Job | None:
    message = _message(db, user_id, mark)
    return message and db.scalars(sa.select(Job).where(Job.message_id == message.id)).first()
