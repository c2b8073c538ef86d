"""The overview says how the business does, and what needs a hand."""

import csv
import io
import multiprocessing
import os
import re
import signal
import time
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from embedded.environ import environ
from models import jobs, ledger
from models.base import new_id, utc_now
from models.ops import overview, right_now, rollups, workers
from models.ops.overview import Range
from models.schema.failure_codes import FailureCode
from models.schema.ledger import FreezeReason
from models.schema.users import User
from models.schema.workers import Worker
from settings import Settings
from tests import factories
from tests.models.ops.test_rollups import roll
from tests.tasks import doomed
from tests.webapp.browser import Browser
from webapp.admin.overview import SECONDS

forked = multiprocessing.get_context("forkserver")
forked.set_forkserver_preload([doomed.__name__])

# Bought credits come after granted ones.
GRANTED = 1_000_000


@pytest.fixture
def earned(db: Session, ada: User) -> None:
    """Ada has spent what was granted, and 300,000 bought micros; half is the provider's."""
    ledger.top_up(db, ledger.lock_account(db, ada.id), 5_000_000, reference="payment:1")
    job = factories.running(db, ada)
    factories.charge(db, job, GRANTED)
    factories.charge(db, job, 300_000)
    factories.answer(db, job)
    roll(db, utc_now())
    db.commit()


def metric(page: str, name: str) -> str:
    """What a card says in large."""
    found = re.search(rf'id="metric-{name}".*?tabular-nums">([^<]+)<', page, re.DOTALL)
    assert found
    return found[1]


@pytest.mark.parametrize("wanted", list(Range))
def test_its_numbers_are_those_of_the_books(
    olgas: Browser, earned: None, db: Session, wanted: Range
) -> None:
    page = olgas.read(f"/admin?range={wanted}")
    assert metric(page, "revenue") == "$0.30"
    assert metric(page, "cost") == "$0.65"
    assert metric(page, "margin") == "-$0.35"
    assert metric(page, "free-credit") == "$1.00"
    assert metric(page, "top-ups") == "$5.00"
    assert metric(page, "messages") == "1"
    assert page.count("<svg viewBox") == page.count('class="plot-marks"') == 12
    found = overview.read(db, wanted, utc_now())
    assert sum(part.now.revenue_micros for part in found.parts) == found.now.revenue_micros


def test_the_time_before_stands_beside_it(db: Session, olgas: Browser, ada: User) -> None:
    now = utc_now()
    for days, micros in ((1, 2_000), (31, 1_000)):
        job = factories.running(db, ada)
        factories.charge(db, job, micros)
        factories.answer(db, job)
        job.created_at = now - timedelta(days=days)
    ada.created_at = now - timedelta(days=40)
    db.flush()
    rollups.forget(db)
    roll(db, now)
    db.commit()
    found = overview.read(db, Range.MONTH, now)
    assert (found.now.messages, found.before.messages) == (1, 1)
    assert "+0 %" in olgas.read("/admin?range=30d")


def test_support_sees_no_money(sams: Browser, vics: Browser, earned: None) -> None:
    page = sams.read("/admin")
    assert "metric-messages" in page
    assert "metric-revenue" not in page
    assert "/admin/accounting" not in page
    assert "metric-revenue" in vics.read("/admin")


def test_an_unknown_range_is_the_usual_one(olgas: Browser) -> None:
    assert "The last 30 days" in olgas.read("/admin?range=forever")


def test_what_needs_a_hand_is_said_first(db: Session, olgas: Browser, ada: User) -> None:
    assert "Nothing needs a hand." in olgas.read("/admin")
    ledger.freeze(ada, FreezeReason.AUDIT)
    db.commit()
    page = olgas.read("/admin")
    assert "1 frozen account" in page
    assert "Nothing needs a hand." not in page


def test_messages_that_wait_without_a_worker_are_an_alarm(
    db: Session, olgas: Browser, ada: User
) -> None:
    factories.job(db, ada)
    db.commit()
    assert "no worker is alive" in olgas.read("/admin")
    worker = workers.register(db, new_id(), "here")
    workers.report(db, worker.id, sandbox="bwrap", capacity=4, spare=1, hot=1, busy=2)
    db.commit()
    page = olgas.read("/admin")
    assert "no worker is alive" not in page
    assert "2 of 4 cells at work" in page


def test_numbers_that_are_old_are_said_to_be_so(db: Session, olgas: Browser, ada: User) -> None:
    roll(db, utc_now() - timedelta(hours=1))
    db.commit()
    assert "These numbers are old" in olgas.read("/admin")


def test_failures_of_the_last_hour_are_counted(db: Session, olgas: Browser, ada: User) -> None:
    jobs.fail(db, factories.running(db, ada), FailureCode.PROVIDER_DOWN)
    db.commit()
    page = olgas.read("/admin")
    assert re.search(r"Failed in the last hour</dt>\s*<dd class=\"worse\">\s*1\s", page)


def test_a_killed_worker_is_seen_within_ten_seconds(
    olgas: Browser, adjust: Callable[..., None], settings: Settings, engine: sa.Engine
) -> None:
    # By the settings as they are: the silence, and the wait until the page looks again.
    silence = right_now.SILENT_HEARTBEATS * settings.job_heartbeat_seconds
    assert silence + SECONDS < 10
    adjust(JOB_HEARTBEAT_SECONDS="0.5")
    process = forked.Process(target=doomed.live, args=(environ(), doomed.beat, 0.5))
    process.start()
    try:
        wait_until(lambda: "fell silent" not in olgas.read("/admin/now") and alive(olgas) == 1)
        assert process.pid
        os.kill(process.pid, signal.SIGKILL)
        began = time.monotonic()
        wait_until(lambda: "1 worker fell silent" in olgas.read("/admin/now"))
        assert time.monotonic() - began < 3
        assert alive(olgas) == 0
        assert ">silent</span>" in olgas.read("/admin/workers")
    finally:
        process.kill()
        process.join()
        # It was no part of the test's transaction.
        with engine.begin() as connection:
            connection.execute(sa.delete(Worker))


def alive(browser: Browser) -> int:
    """How many workers the page says there are."""
    found = re.search(r"Workers</a></dt>\s*<dd>\s*(\d+)", browser.read("/admin/now"))
    assert found
    return int(found[1])


def wait_until(is_so: Callable[[], bool]) -> None:
    ends = time.monotonic() + 20
    while not is_so():
        assert time.monotonic() < ends
        time.sleep(0.1)


def test_a_provider_that_fails_is_said_to_do_so(db: Session, olgas: Browser, ada: User) -> None:
    for _ in range(3):
        factories.answer(db, factories.running(db, ada))
    db.commit()
    assert "3 answered, 0 failed" in olgas.read("/admin/now")
    jobs.fail(db, factories.running(db, ada), FailureCode.PROVIDER_DOWN)
    db.commit()
    page = olgas.read("/admin")
    assert "3 answered, 1 failed" in page
    assert "failing" in page


def test_its_numbers_are_handed_out_to_the_micro_dollar(
    olgas: Browser, sams: Browser, earned: None, db: Session
) -> None:
    for wanted in Range:
        answer = olgas.get(f"/admin/overview.csv?range={wanted}")
        rows = list(csv.DictReader(io.StringIO(answer.text)))
        assert sum(Decimal(row["revenue_usd"]) for row in rows) == Decimal("0.3")
        assert sum(int(row["messages"]) for row in rows) == 1
    assert "CSV" not in sams.read("/admin")
