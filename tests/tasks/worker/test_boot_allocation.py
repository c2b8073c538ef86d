"""How many cells each worker boots for those who wait."""

from uuid import UUID

import pytest

from agent.cells.demand import PATIENCE_SECONDS
from models.base import new_id
from tasks.worker.boot_allocation import MOST_STEPS, STEP_SECONDS, share


def shares(people: int, seconds: float, workers: int) -> list[int]:
    live = [UUID(int=n) for n in range(workers)]
    return [share(people, seconds, one, live) for one in live]


@pytest.mark.parametrize(
    ("people", "steps", "expected"),
    [
        (0, 0, [0, 0, 0, 0]),
        (1, 0, [1, 0, 0, 0]),
        (1, 1, [1, 1, 0, 0]),
        (1, 2, [1, 1, 1, 1]),
        (1, 3, [1, 1, 1, 1]),
        (3, 0, [1, 1, 1, 0]),
        (6, 0, [2, 2, 1, 1]),
        (6, 1, [2, 2, 2, 2]),
        (100, 0, [25, 25, 25, 25]),
    ],
)
def test_one_cell_for_each_who_waits_at_first_and_twice_as_many_each_step(
    people: int, steps: int, expected: list[int]
) -> None:
    assert shares(people, PATIENCE_SECONDS + steps * STEP_SECONDS, workers=4) == expected


def test_nobody_helps_more_early() -> None:
    assert shares(1, 0, workers=3) == [1, 0, 0]
    assert shares(1, PATIENCE_SECONDS + STEP_SECONDS - 0.1, workers=3) == [1, 0, 0]


def test_in_a_large_fleet_all_help_in_the_end() -> None:
    last = PATIENCE_SECONDS + MOST_STEPS * STEP_SECONDS
    assert sum(shares(1, last, workers=50)) == sum(shares(1, 1e9, workers=50)) == 50


def test_a_worker_that_is_not_known_yet_helps_last() -> None:
    live = [new_id(), new_id()]
    assert share(2, PATIENCE_SECONDS, new_id(), live) == 0
    assert share(3, PATIENCE_SECONDS, new_id(), live) == 1
    assert share(2, PATIENCE_SECONDS, new_id(), []) == 2
