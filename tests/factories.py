"""People, conversations and jobs for tests, made by the product's own verbs."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from uuid import UUID

from sqlalchemy.orm import Session

from models import conversations, jobs, users
from models.base import new_id
from models.conversations import Conversation
from models.jobs import Job
from models.users import Profile, User

PASSWORD = "correct horse battery"
MODEL = "demo/demo"
LEASE = timedelta(seconds=30)
SOMEBODY: UUID = new_id()


def user(db: Session, email: str, *, name: str = "Grace", onboarded: bool = True) -> User:
    """A person with the sign-up grant, onboarded unless told otherwise."""
    person = users.sign_up(db, email, PASSWORD)
    if onboarded:
        users.introduce(person, Profile(name, "Europe/Berlin", "Keeping track of my garden"))
    db.flush()
    return person


def conversation(db: Session, owner: User) -> Conversation:
    return conversations.start(db, owner.id)


def job(db: Session, owner: User, words: str = "Hello?") -> Job:
    """A message in a conversation of its own, waiting for its answer."""
    return jobs.ask(db, conversation(db, owner), words, model=MODEL)


def running(db: Session, owner: User, words: str = "Hello?", *, worker: UUID = SOMEBODY) -> Job:
    """A job that was asked and claimed; nobody else's may be waiting."""
    asked = job(db, owner, words)
    claimed = jobs.claim_next(db, worker, LEASE)
    assert claimed is not None
    assert claimed.id == asked.id
    return claimed


def in_parallel(times: int, action: Callable[[], object]) -> list[BaseException | None]:
    """Run `action` in so many threads that start together; return what each raised."""
    barrier = threading.Barrier(times)

    def _one(_: int) -> BaseException | None:
        barrier.wait()
        try:
            action()
        except Exception as error:  # noqa: BLE001  # it is the result
            return error
        return None

    with ThreadPoolExecutor(times) as pool:
        return list(pool.map(_one, range(times)))
