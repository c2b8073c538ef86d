"""What a process does that is killed in the middle of it: the product's own code, and nothing else.

A server forks these processes, in which all of it is imported already.
"""

import os
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from typing import Literal
from uuid import UUID

from sqlalchemy.orm import configure_mappers

from actions import automatic_charges, reminders, stripe_events
from gateways.stripe_events import Notice
from models import database, jobs
from models.base import new_id
from models.database import unit_of_work
from models.jobs import Claim, FinishedAnswer
from models.ops import workers
from models.schema.failure_codes import FailureCode
from settings import get_settings
from tasks import upkeep
from tasks.worker.call_ledger import TurnCallLedger
from tests import factories
from tests.factories import LEASE, MODEL

HELD, CHARGED = 100_000, 70_000
PATIENCE_SECONDS = 10.0

# Once for all of them.
configure_mappers()

Ending = Literal["completed", "failed"]


def live(environment: Mapping[str, str], work: Callable[..., None], *given: object) -> None:
    """Do `work` with these settings."""
    os.environ.update(environment)  # noqa: TID251  # as whoever starts a process does
    get_settings.cache_clear()
    database.connect(get_settings().database_url.get_secret_value(), pool_size=1)
    work(*given)


def beat(seconds: float) -> None:
    """Report as a worker does, until killed."""
    with unit_of_work() as db:
        worker = workers.register(db, new_id(), "doomed")
    while True:
        with unit_of_work() as db:
            workers.report(db, worker.id, sandbox="bwrap", capacity=4, spare=1, hot=0, busy=0)
        time.sleep(seconds)


def hear(notices: Sequence[Notice]) -> None:
    """Take in what Stripe tells."""
    for notice in notices:
        stripe_events.take_in(notice)


def top_up(user_id: UUID) -> None:
    """Charge a saved card, if that is due."""
    automatic_charges.begin(user_id)


def remind() -> None:
    """Fire what is due and look after what was told, as the clock does."""
    reminders.fire_due()
    upkeep.tell_what_was_held()


def answer(user_id: UUID, ending: Ending) -> None:
    """See a message of somebody through: a model call, and what became of it."""
    worker_id = new_id()
    claim = _claim(worker_id, user_id)
    books = TurnCallLedger(claim.user_id, claim.job_id, claim.attempt)
    _call(books)
    with unit_of_work() as db:
        if ending == "completed":
            done = FinishedAnswer(claim.job_id, claim.user_id, claim.attempt, "Done.", "")
            jobs.complete_many(db, [done], worker_id, timedelta(0))
        else:
            job = jobs.lock_lease(db, claim.job_id, claim.attempt)
            jobs.fail(db, job, FailureCode.UNEXPECTED)


def _claim(worker_id: UUID, user_id: UUID) -> Claim:
    """Claim as a worker does that looks again: PostgreSQL notices a death a moment later."""
    ends = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < ends:
        with unit_of_work() as db:
            for claim in jobs.claim_many(db, worker_id, LEASE, 1, only=[user_id]):
                return claim
        time.sleep(0.02)
    raise AssertionError("there is nothing to claim")


def _call(books: TurnCallLedger) -> None:
    call = books.open(new_id(), MODEL, lambda _: HELD)
    books.close(factories.closed_call(call.call_id, CHARGED))
