"""How urgent it is that somebody waits."""

import pytest

from agent.cells import demand
from agent.cells.demand import LONG_SECONDS, PATIENCE_SECONDS, Demand


@pytest.mark.parametrize(
    ("seconds", "is_anybody", "is_long"),
    [
        (0.0, False, False),
        (PATIENCE_SECONDS - 1, False, False),
        (PATIENCE_SECONDS, True, False),
        (LONG_SECONDS - 1, True, False),
        (LONG_SECONDS, True, True),
    ],
)
def test_the_longer_the_first_waits_the_more_urgent(
    seconds: float, is_anybody: bool, is_long: bool
) -> None:
    someone = Demand()

    someone.tell_queue(2, seconds)

    assert (someone.is_anybody, someone.is_long) == (is_anybody, is_long)
    assert someone.people == (2 if is_anybody else 0)


def test_a_turn_without_a_cell_is_urgent_and_makes_nobody_yield() -> None:
    someone = Demand()
    assert not someone.is_anybody

    someone.turns += 1

    assert someone.is_anybody
    assert not someone.is_long


def test_an_empty_queue_is_not_urgent() -> None:
    someone = Demand()

    someone.tell_queue(0, 0)

    assert not someone.is_anybody


def test_what_was_told_long_ago_is_not_believed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(demand, "FRESH_SECONDS", 0.0)
    someone = Demand()

    someone.tell_queue(2, LONG_SECONDS)

    assert not someone.is_anybody
