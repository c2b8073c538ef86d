"""The loop against real rows: whom it tells to drain, what it asks ECS for, what it keeps."""

from dataclasses import dataclass, field
from uuid import UUID

import pytest
import sqlalchemy as sa

from models.base import new_id
from models.database import unit_of_work
from models.ops import fleet, workers
from models.ops.leadership import FLEET, Leadership
from models.schema.scaling import ScalingReason
from settings import Settings
from tasks.scaling.leader import Scaler
from tests import factories


@dataclass
class Counted:
    """A service that remembers what it was asked for."""

    count: int = 1
    asked: list[int] = field(default_factory=list[int])

    def desired(self) -> int:
        return self.count

    def set_desired(self, count: int) -> None:
        self.count = count
        self.asked.append(count)


def working(capacity: int = 2, busy: int = 0) -> UUID:
    with unit_of_work() as db:
        worker = workers.register(db, new_id(), "here")
        workers.report(db, worker.id, sandbox="jail", capacity=capacity, spare=1, hot=0, busy=busy)
        return worker.id


def test_more_wait_than_there_are_cells_so_more_workers_are_asked_for(
    emptied: sa.Engine, settings: Settings
) -> None:
    working(capacity=2)
    with unit_of_work() as db:
        people = [factories.user(db, f"a{number}@example.org") for number in range(5)]
        for one in people:
            factories.job(db, one)
            # A second message of the same user needs no other cell.
            factories.job(db, one)
        running = factories.claim(db)
        assert running is not None
    service = Counted()

    scaler = Scaler(settings, service)
    scaler.look()
    scaler.look()

    # Five users; two cells each, of which 70 % are meant to be at work.
    assert service.asked == [4]
    with unit_of_work() as db:
        (decided,) = fleet.last_decisions(db)
        assert (decided.reason, decided.demand, decided.desired) == (ScalingReason.DEMAND, 5, 4)
        assert decided.oldest_at is not None


def test_one_that_is_not_needed_drains_and_ecs_hears_of_it_when_it_is_done(
    emptied: sa.Engine, settings: Settings
) -> None:
    calm = settings.model_copy(update={"scaling_calm_seconds": 0.0})
    busy, idle = working(busy=1), working()
    service, scaler = Counted(2), Scaler(calm, Counted(2))
    scaler = Scaler(calm, service)

    scaler.look()
    with unit_of_work() as db:
        members = {one.id: one for one in fleet.read(db).members}
        assert members[idle].is_finishing
        assert members[busy].is_active
    assert service.asked == []

    with unit_of_work() as db:
        workers.release(db, idle)
    scaler.look()
    assert service.asked == [1]


def test_one_clock_at_a_time_decides(emptied: sa.Engine) -> None:
    first, second = Leadership(FLEET), Leadership(FLEET)
    assert (first.is_ours(), second.is_ours(), first.is_ours()) == (True, False, True)
    first.give_up()
    assert second.is_ours()
    second.give_up()


@pytest.mark.parametrize("asked", [False, True])
def test_a_worker_hears_at_its_heartbeat_that_it_is_to_drain(
    emptied: sa.Engine, *, asked: bool
) -> None:
    worker_id = working()
    with unit_of_work() as db:
        if asked:
            workers.drain(db, worker_id)
        heard = workers.report(db, worker_id, sandbox="jail", capacity=2, spare=1, hot=0, busy=0)
    assert heard is asked
