"""What admins want of a worker that runs: pauses, drains and ended cells, within seconds."""

import time
from collections.abc import Generator
from pathlib import Path
from uuid import UUID

import pytest
import sqlalchemy as sa

from agent.cells.boot.scheduler import BootCounts
from agent.cells.pool_stats import PoolStats
from models.base import new_id, utc_now
from models.database import unit_of_work
from models.jobs import Claim
from models.ops import switches, worker_orders, workers
from models.ops.admin_actions import Order
from models.ops.switches import Pause, PauseScope, Switches
from models.ops.worker_orders import NotAtWork
from models.people import users
from models.people.admin_roles import NotOfThisRole
from models.schema.admins import AdminRole
from models.schema.jobs import Job
from models.schema.switches import SwitchVersion
from models.schema.users import User
from models.schema.workers import Worker
from settings import Settings
from tasks.worker.process import WorkerProcess
from tests import factories
from tests.house import wait_for

PROMISED_SECONDS = 5


class Running:
    """A worker process that has room for any number, and whose turns a test ends."""

    def __init__(self, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
        self.begun: list[UUID] = []
        self.left: list[str] = []
        self.process = WorkerProcess(settings, self._begin)
        self.process.leave = lambda: self.left.append("left")
        monkeypatch.setattr(self.process.runtime, "room", self._room)

    def _room(self, *_: object) -> int:
        return 1

    def _begin(self, _: WorkerProcess, claim: Claim) -> None:
        self.begun.append(claim.job_id)


@pytest.fixture
def running(
    emptied: sa.Engine, settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Generator[Running]:
    """A worker that claims whatever it finds."""
    assert emptied
    changed = settings.model_copy(update={"cells_dir": tmp_path / "cells"})
    found = Running(changed, monkeypatch)
    with unit_of_work() as db:
        workers.register(db, found.process.id, "here")
    found.process.commit_loop.start()
    yield found
    found.process.commit_loop.stop()


def switched_elsewhere(*pauses: Pause) -> None:
    """Another process has switched it: this one reads it when it looks."""
    with unit_of_work() as db:
        version = switches.latest(db).version + 1
        given = Switches(pauses=pauses).model_dump(mode="json")
        rest = {"admin_id": new_id(), "admin_email": "olga@example.org", "reason": "Test."}
        db.add(SwitchVersion(version=version, switches=given, **rest))


def ask(name: str) -> UUID:
    with unit_of_work() as db:
        return factories.job(db, factories.user(db, f"{name}@example.org")).id


def test_a_pause_stops_claims_within_five_seconds_and_lets_turns_end(running: Running) -> None:
    first = ask("ada")
    wait_for(lambda: running.begun == [first], "the first job to be claimed", seconds=10)
    switched_elsewhere(Pause(scope=PauseScope.ALL))
    time.sleep(switches.FRESH_SECONDS + 1)
    second = ask("eve")
    running.process.look_again()
    time.sleep(1.5)
    assert running.begun == [first]
    with unit_of_work() as db:
        factories.answer(db, db.get_one(Job, first))
    switched_elsewhere()
    began = time.monotonic()
    wait_for(lambda: running.begun == [first, second], "the claims to go on", seconds=10)
    assert time.monotonic() - began < PROMISED_SECONDS


def test_a_worker_says_what_its_cells_take_and_how_they_booted(
    running: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    boots = BootCounts(worked=14, failed=2, last_ms=9_250)
    said = PoolStats(0, 1, 0, 0, 4, "bwrap", boots, memory_bytes=3_000, memory_free_bytes=5_000)
    monkeypatch.setattr(running.process.runtime, "stats", lambda: said)
    running.process._report()  # pyright: ignore[reportPrivateUsage]
    with unit_of_work() as db:
        row = db.get_one(Worker, running.process.id)
        assert (row.memory_bytes, row.memory_free_bytes) == (3_000, 5_000)
        assert (row.boots, row.boot_failures, row.boot_ms) == (14, 2, 9_250)


def test_a_worker_drains_when_an_admin_wants_it_to(running: Running) -> None:
    with unit_of_work() as db:
        sam = factories.user(db, "sam@example.org")
        users.set_admin_role(sam, AdminRole.SUPPORT)
    once = Order(sam, "It is slow.", new_id())
    for _ in range(2):
        with unit_of_work() as db:
            worker_orders.drain(db, once, running.process.id)
    running.process._report()  # pyright: ignore[reportPrivateUsage]
    assert running.left == ["left"]
    with unit_of_work() as db:
        assert db.get_one(Worker, running.process.id).drain_asked_at
        with pytest.raises(NotAtWork):
            worker_orders.drain(db, Order(sam, "Again.", new_id()), running.process.id)
        sam = db.get_one(User, sam.id)
        users.set_admin_role(sam, AdminRole.VIEWER)
        with pytest.raises(NotOfThisRole):
            worker_orders.drain(db, Order(sam, "Again.", new_id()), running.process.id)


def test_a_hot_cell_that_an_admin_wants_ended_is_ended_once(
    running: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    with unit_of_work() as db:
        ada, eve = (factories.user(db, f"{name}@example.org") for name in ("ada", "eve"))
        for one in (ada, eve):
            users.set_affinity(one, running.process.id, utc_now())
        ada.cell_ended_at = utc_now()
    ended: list[UUID] = []
    monkeypatch.setattr(running.process.runtime, "hot_users", lambda: [ada.id, eve.id])
    monkeypatch.setattr(running.process.runtime, "discard", ended.append)
    for _ in range(2):
        running.process._report()  # pyright: ignore[reportPrivateUsage]
    assert ended == [ada.id]
