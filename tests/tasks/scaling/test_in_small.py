"""Real workers, started and stopped by the stand-in for ECS as the clock asks it to."""

import os
import time

import pytest
import sqlalchemy as sa

from models.database import unit_of_work
from settings import Settings
from tests import factories
from tests.house import wait_for
from tests.tasks.scaling.small import ends, send, small, unfinished


def test_a_light_worker_answers(emptied: sa.Engine, settings: Settings, redis_url: str) -> None:
    """What the long tests below and `bench scaling` are measured with starts as a real one does."""
    with unit_of_work() as db:
        one = factories.user(db, "ada@example.org")
    with small(os.environ) as ecs:  # noqa: TID251
        send(one, 0.1)
        wait_for(lambda: unfinished() == 0, "an answer", seconds=60)
        assert ecs.told()["died"] == 0
    assert dict(ends().statuses) == {"completed": 1}


@pytest.mark.long
@pytest.mark.timeout(120)
def test_workers_come_and_go_and_no_turn_is_ended(
    emptied: sa.Engine, settings: Settings, redis_url: str
) -> None:
    """Also while a deploy replaces them. A turn that was ended would have a second attempt."""
    with unit_of_work() as db:
        people = [factories.user(db, f"a{number}@example.org") for number in range(9)]
    with small(os.environ, CELLS_PER_WORKER="4", MOST_WORKERS="4") as ecs:  # noqa: TID251
        for one in people:
            send(one, 4)
        wait_for(lambda: len(ecs.tasks()) == 4, "workers for nine people", seconds=90)
        for one in people:
            send(one, 2)
        ecs.change(release="2")
        wait_for(lambda: unfinished() == 0, "all answers", seconds=120)
        wait_for(
            lambda: [task["release"] for task in ecs.told()["tasks"]] == ["2"],
            "one worker of the new release",
            seconds=90,
        )
        told = ecs.told()
    done = ends()
    assert dict(done.statuses) == {"completed": 18}
    assert done.second_attempts == 0
    assert told["died"] == 0
    assert told["desired"] == 1


@pytest.mark.long
def test_a_worker_that_dies_is_replaced(
    emptied: sa.Engine, settings: Settings, redis_url: str
) -> None:
    with unit_of_work() as db:
        one = factories.user(db, "grace@example.org")
    with small(os.environ, JOB_RETRY_DELAY_SECONDS="0.1") as ecs:  # noqa: TID251
        wait_for(lambda: ecs.tasks() and ecs.tasks()[0]["is_protected"], "a worker", seconds=20)
        send(one, 2)
        time.sleep(1)
        ecs.kill(ecs.tasks()[0]["id"])
        wait_for(lambda: unfinished() == 0, "an answer by another worker", seconds=40)
    assert dict(ends().statuses) == {"completed": 1}
