"""What pages, queries and tasks cost as the house grows tenfold, twice.

    python -m bench tenfold [--people 20] [--messages 1000]

Of each size a made-up year is written into stores of its own. In it one user has the same forty
messages; what they see, and what the processes do every few seconds, should cost the same. What
goes by nature over more when there are more users may grow as they do, and no faster.
"""

import argparse
import os
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from itertools import pairwise
from pathlib import Path
from uuid import UUID

import sqlalchemy as sa
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from actions import reminders
from bench.margin import connect
from embedded.stack import Services
from models import jobs, ledger
from models.base import new_id, utc_now
from models.chat import history
from models.database import unit_of_work
from models.ops import fleet, gauges, right_now
from settings import get_settings
from tests import factories
from tests.webapp.browser import Browser
from webapp import create_app

SIZES = 3
MOST_FACTOR = 1.2
# Less than that is noise of a busy machine, whatever its factor is.
NOISE_MS = 3.0
# Why they may grow tenfold with the house.
GROWING = {
    "adding up": "adds up what was written today, and counts who was active this month",
    "the hourly audit": "goes over one in 720 of all users each hour",
}
TIMES = 15
MESSAGES = 40
PAGES = (
    *("/chat", "/chat/{talk}", "/usage", "/billing", "/limits"),
    *("/settings", "/reminders", "/prices"),
)
EMAIL = "grace@example.org"


def main(arguments: Sequence[str]) -> int:
    """Measure each size, print the factors, and return 1 if any is above the target."""
    parser = argparse.ArgumentParser(prog="bench tenfold", description=__doc__)
    parser.add_argument("--people", type=int, default=20, help="of the smallest house")
    parser.add_argument("--messages", type=int, default=1_000)
    given = parser.parse_args(arguments)
    found = [_house(given.people * 10**power, given.messages * 10**power) for power in range(SIZES)]
    return _report(found)


def _house(people: int, messages: int) -> Mapping[str, float]:
    with (
        tempfile.TemporaryDirectory(prefix="bench-") as folder,
        Services(Path(folder) / "data", is_kept=False) as services,
    ):
        own = {"PASSWORD_MEMORY_KIB": "64", "VERIFY_EMAIL": "false", "SIGN_UP_BY_MAIL": "false"}
        os.environ.update(services.environment() | own)  # noqa: TID251
        get_settings.cache_clear()
        # Their queues read the settings.
        from tasks import upkeep  # noqa: PLC0415
        from tasks.cli import seed_demo  # noqa: PLC0415

        engine = connect()
        with unit_of_work() as db:
            seed_demo.fill(db, people, messages, 1, utc_now())
        upkeep.roll_up()
        talk = _somebody()
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(sa.text("VACUUM (ANALYZE)"))
        found = _measured(talk)
        engine.dispose()
    return found


def _somebody() -> str:
    with unit_of_work() as db:
        person = factories.user(db, EMAIL)
        talk = factories.conversation(db, person)
        for number in range(MESSAGES):
            job = factories.running(db, person, f"Message {number}", conversation_id=talk.id)
            factories.charge(db, job, 100)
            factories.answer(db, job)
    return str(talk.id)


def _measured(talk: str) -> Mapping[str, float]:
    from tasks import upkeep  # noqa: PLC0415  # its queues read the settings

    browser = Browser(create_app(get_settings()))
    browser.log_in(EMAIL)
    pages = {path: _page(browser.client, path.format(talk=talk)) for path in PAGES}
    with unit_of_work() as db:
        ledger.audit_changes(db)
    worker, lease = new_id(), timedelta(seconds=30)
    tasks: dict[str, Callable[[], object]] = {
        "claim, when nobody waits": _query(lambda db: jobs.claim_many(db, worker, lease, 4)),
        "what a worker sees waiting": _query(lambda db: jobs.queue(db, worker, besides=[])),
        "jobs that moved": _query(lambda db: history.jobs_that_moved(db, UUID(talk), utc_now())),
        "demand and workers": _query(fleet.read),
        "numbers for alarms": _query(gauges.read),
        "the queue, for admins": _query(right_now.queue_now),
        "a sweep": upkeep.reap_expired,
        "orphaned calls": lambda: upkeep.absorb_orphans(timedelta(minutes=1)),
        "reminders that are due": reminders.fire_due,
        "pruning": upkeep.prune,
        "adding up": upkeep.roll_up,
        "the hourly audit": _query(ledger.audit_changes),
    }
    return {name: _timed(work) for name, work in {**pages, **tasks}.items()}


def _page(client: FlaskClient, path: str) -> Callable[[], object]:
    def _read() -> None:
        assert client.get(path, follow_redirects=True).status_code == 200, path

    return _read


def _query(read: Callable[[Session], object]) -> Callable[[], object]:
    def _once() -> None:
        with unit_of_work() as db:
            read(db)

    return _once


def _timed(work: Callable[[], object]) -> float:
    """Return the fastest of some runs, in milliseconds; a busy machine slows the others down."""
    work()
    took: list[float] = []
    for _ in range(TIMES):
        began = time.perf_counter()
        work()
        took.append(time.perf_counter() - began)
    return 1000 * min(took)


def _report(found: Sequence[Mapping[str, float]]) -> int:
    print(f"{'':<30}" + "".join(f"{f'x{10**power}':>10}" for power in range(SIZES)) + "   factors")
    missed = 0
    for name in found[0]:
        took = [one[name] for one in found]
        shown = " ".join(f"{after / before:5.2f}" for before, after in pairwise(took))
        most = MOST_FACTOR * (10 if name in GROWING else 1)
        grew = any(
            after > most * before and after - before > NOISE_MS for before, after in pairwise(took)
        )
        missed += grew
        columns = "".join(f"{ms:8.1f}ms" for ms in took)
        print(f"{name:<30}{columns}   {shown}{' !' * grew}   {GROWING.get(name, '')}".rstrip())
    print(f"{missed} grew by more than {MOST_FACTOR} (and {NOISE_MS:g} ms) at a tenfold house,")
    print("or, where they go over what grows, by more than ten times as much")
    return 1 if missed else 0
