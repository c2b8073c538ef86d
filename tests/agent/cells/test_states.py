"""A cell's life goes the ways that are drawn, and no other."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.cells.states import IllegalMove, State, moved

LIFE = [State.BOOTING, State.WARMING, State.SPARE, State.BINDING, State.HOT]


def test_a_cell_comes_up_is_bound_answers_and_ends() -> None:
    for old, new in zip(
        [*LIFE, State.BUSY, State.HOT, State.DRAINING],
        [*LIFE[1:], State.BUSY, State.HOT, State.DRAINING, State.GONE],
        strict=True,
    ):
        assert moved(old, new) is new


@given(st.sampled_from(State), st.lists(st.sampled_from(State), max_size=12))
def test_nobody_is_bound_to_what_was_somebodys(start: State, wishes: list[State]) -> None:
    """Whatever is tried after a cell was bound, it is never a spare again, nor lives again."""
    state, was_bound, was_gone = start, start in {State.BINDING, State.HOT, State.BUSY}, False
    for wish in wishes:
        try:
            state = moved(state, wish)
        except IllegalMove:
            continue
        assert not (was_bound and state in {State.SPARE, State.BINDING})
        assert not was_gone
        was_bound = was_bound or state is State.BINDING
        was_gone = state is State.GONE


@pytest.mark.parametrize("state", [state for state in State if state is not State.GONE])
def test_everything_may_end(state: State) -> None:
    assert moved(state, State.GONE) is State.GONE


@pytest.mark.parametrize("state", State)
def test_nothing_becomes_what_it_is(state: State) -> None:
    with pytest.raises(IllegalMove):
        moved(state, state)
