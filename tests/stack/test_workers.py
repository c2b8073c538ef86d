# pyright: reportUnknownMemberType=false
"""What people notice of workers that come and go, and of cells that are there before they ask."""

import os
import signal
from collections.abc import Generator
from contextlib import suppress
from pathlib import Path

import pytest

from models.schema.jobs import Job, JobStatus
from models.schema.ledger import EntryKind
from models.schema.users import User
from models.schema.workers import Worker
from tests.house import SETTINGS, House, Person, wait_for

pytestmark = [pytest.mark.engine, pytest.mark.xdist_group("house")]

# From the signal on: what may run on, what is then handed back and saved, and the cells' own end.
STOP_SECONDS = float(SETTINGS["WORKER_DRAIN_SECONDS"]) + 25


@pytest.mark.long
def test_a_worker_that_is_asked_to_end_loses_nothing(house: House) -> None:
    """One turn is nearly done and may finish, the other goes on with the next worker."""
    ada, eve = house.person("Ada"), house.person("Eve")
    short = ada.ask("A short one. [[demo: words 30]] [[demo: slow 40ms]]")
    ada.wait_for_words(short)
    long = eve.ask("A long one. [[demo: words 400]] [[demo: slow 40ms]]")
    eve.wait_for_words(long)
    worker_id = _running(house, long).worker_id

    _ask_to_end(house)

    assert ada.outcome(short).job.attempt == 1
    outcome = eve.outcome(long)
    assert len(outcome.answer.split()) >= 400
    assert (outcome.job.attempt, len(house.asked_with("A long one"))) == (2, 2)
    assert outcome.job.worker_id != worker_id
    with house.database() as db:
        worker = db.get_one(Worker, worker_id)
        assert worker.draining_at is not None
        assert worker.stopped_at is not None
    for person in (ada, eve):
        person.assert_books_balance()
        kinds = [entry.kind for entry in person.entries()]
        assert kinds.count(EntryKind.CHARGE) - kinds.count(EntryKind.REFUND) == 1


def test_the_next_worker_remembers_what_the_last_one_saved(house: House) -> None:
    mary = house.person("Mary")
    told = mary.ask_and_wait("My cat is called Byron. Please remember that.").job
    mary.wait_until_saved(told)

    _ask_to_end(house)

    assert "Byron" in mary.ask_and_wait("What is my cat called?", told.conversation_id).answer


def test_opening_the_chat_warms_a_cell_and_nobody_elses(house: House) -> None:
    house.wait_for_spares()
    grace = house.person("Grace")

    grace.browser.get("/chat/new")

    holder = wait_for(lambda: _holder(house, grace), "a cell for who has opened the chat")
    answered = grace.ask_and_wait("Hello. [[demo: words 5]]")
    assert answered.job.status is JobStatus.COMPLETED
    assert str(answered.job.worker_id) == holder
    assert len(house.asked_with("Hello. ")) >= 1


def _ask_to_end(house: House) -> None:
    """Send SIGTERM to all workers, of which other tests may have left a second one."""
    # Only their masters: who is told a second time ends at once.
    workers = list(_masters(house))
    assert workers
    for pid in workers:
        os.kill(pid, signal.SIGTERM)
    left = [Path(f"/proc/{pid}") for pid in workers]
    wait_for(
        lambda: not any(path.exists() for path in left), "the workers to end", seconds=STOP_SECONDS
    )


def _masters(house: House) -> Generator[int]:
    for name in ("worker", "worker-2", "worker-3"):
        with suppress(KeyError):
            pid = house.stack.supervisor.child(name).pid
            if pid is not None:
                yield pid


def _running(house: House, job: Job) -> Job:
    with house.database() as db:
        return db.get_one(Job, job.id)


def _holder(house: House, person: Person) -> str | None:
    with house.database() as db:
        holder = db.get_one(User, person.id).cell_worker_id
        return str(holder) if holder else None
