"""The rule for the number of workers, over any course of demand."""

from itertools import pairwise

import hypothesis.strategies as st
from hypothesis import given

from tasks.scaling.policy import Policy, Reading, Rule

LOOK_SECONDS = 5
rules = st.builds(
    Rule,
    fewest=st.integers(0, 5),
    most=st.integers(5, 50),
    target_percent=st.integers(30, 100),
    calm_seconds=st.sampled_from([30.0, 120.0, 300.0]),
)
demands = st.lists(st.integers(0, 5_000) | st.integers(0, 60), min_size=1, max_size=200)


def played(rule: Rule, demands: list[int], cells: int, workers: int = 1) -> list[int]:
    """What is wanted at each look, when each wish is fulfilled at once."""
    policy, course = Policy(rule), list[int]()
    for look, demand in enumerate(demands):
        workers = policy.wanted(Reading(LOOK_SECONDS * look, demand, workers, cells))
        course.append(workers)
    return course


@given(rules, demands, st.integers(1, 30), st.integers(0, 80))
def test_never_above_the_most_nor_below_the_fewest(
    rule: Rule, demands: list[int], cells: int, workers: int
) -> None:
    assert all(rule.fewest <= one <= rule.most for one in played(rule, demands, cells, workers))


@given(rules, demands, st.integers(1, 30))
def test_what_is_needed_now_is_wanted_now(rule: Rule, demands: list[int], cells: int) -> None:
    for demand, workers in zip(demands, played(rule, demands, cells), strict=True):
        assert workers == rule.most or workers * cells * rule.target_percent >= 100 * demand


@given(rules, demands, st.integers(1, 30))
def test_none_goes_before_demand_was_lower_for_a_while(
    rule: Rule, demands: list[int], cells: int
) -> None:
    """So it never flaps: who came stays for that time at least."""
    course = played(rule, demands, cells)
    grown_at = 0
    for look, (before, after) in enumerate(pairwise(course), start=1):
        if after > before:
            grown_at = look
        if after < before:
            assert (look - grown_at) * LOOK_SECONDS >= rule.calm_seconds


@given(st.integers(0, 500), st.integers(1, 30))
def test_the_same_demand_comes_to_rest(demand: int, cells: int) -> None:
    course = played(Rule(), [demand] * 400, cells, workers=50)
    assert len(set(course[-100:])) == 1
    assert course[-1] == max(1, min(50, -(-demand * 100 // (cells * 70))))


def test_workers_go_a_part_at_a_time() -> None:
    course = played(Rule(), [400] * 10 + [0] * 200, cells=16, workers=40)
    steps = [before - after for before, after in pairwise(course)]
    assert max(steps) == 7
    assert course[-1] == 1


def test_a_wave_is_met_before_it_is_there() -> None:
    # Twenty alone want three workers; so steep a rise wants those that the next minute needs.
    assert played(Rule(), [8, 8, 8, 20], cells=16)[-1] == 5
    assert played(Rule(), [8, 8, 8, 12], cells=16)[-1] == 2
