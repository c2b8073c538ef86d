"""What is done about workers: nobody in whom something runs is ever in what ECS may stop."""

from datetime import UTC, datetime

import hypothesis.strategies as st
from hypothesis import given

from models.base import new_id
from models.ops.fleet import Fleet, Member
from models.schema.scaling import ScalingReason
from tasks.scaling import orders

NOW = datetime(2026, 12, 1, tzinfo=UTC)
MOST = 50


def member(
    *,
    version: str = "1",
    busy: int = 0,
    spare: int = 1,
    is_draining: bool = False,
    is_free: bool = False,
) -> Member:
    return Member(
        new_id(),
        version,
        16,
        spare,
        0,
        busy,
        NOW if is_draining or is_free else None,
        NOW if is_free else None,
    )


def fleet(*members: Member) -> Fleet:
    return Fleet(0, 0, None, members)


members = st.builds(
    member, busy=st.integers(0, 16), is_draining=st.booleans(), is_free=st.booleans()
)


@given(st.lists(members, max_size=MOST), st.integers(0, MOST), st.integers(0, MOST))
def test_never_above_the_most_nor_below_what_is_protected(
    there: list[Member], desired: int, wanted: int
) -> None:
    given = orders.decide(fleet(*there), desired, wanted, MOST)
    protected = [one for one in there if one.released_at is None]
    staying = [one for one in there if one.is_active and one.id not in given.drain]

    assert len(protected) <= max(given.desired, wanted) or given.desired == MOST
    assert given.desired <= MOST
    assert len(staying) <= wanted
    # Who drains keeps its place until nothing runs in it.
    finishing = len([one for one in protected if one not in staying])
    assert given.desired >= min(len(staying) + finishing, MOST)


def test_the_one_goes_in_whom_least_is_lost() -> None:
    busy, idle = member(busy=3), member()
    given = orders.decide(fleet(busy, idle), 2, 1, MOST)
    assert (given.drain, given.desired, given.reason) == ([idle.id], 2, ScalingReason.CALM)


def test_ecs_is_asked_for_one_less_once_nothing_runs_in_it() -> None:
    draining, done = member(is_draining=True, busy=1), member(is_free=True)
    assert orders.decide(fleet(member(), draining), 2, 1, MOST).reason is None
    given = orders.decide(fleet(member(), done), 2, 1, MOST)
    assert (given.drain, given.desired, given.reason) == ([], 1, ScalingReason.DRAINED)


def test_workers_that_start_count_as_if_they_were_there() -> None:
    there = fleet(member(), member(is_draining=True))
    assert orders.present(there, 5) == 1 + 3
    assert orders.decide(there, 5, 4, MOST).reason is None


def test_of_a_deploy_those_of_before_go_as_new_ones_are_ready() -> None:
    old = [member(version="1", busy=2) for _ in range(3)]
    booting, ready = member(version="2", spare=0), member(version="2")
    assert orders.decide(fleet(*old, booting), 3, 4, MOST).drain == []
    given = orders.decide(fleet(*old, ready), 3, 3, MOST)
    assert (given.drain, given.desired, given.reason) == (
        [old[0].id],
        3,
        ScalingReason.CALM,
    )


def test_a_worker_of_before_that_is_needed_stays_until_another_is_ready() -> None:
    old, booting = member(version="1"), member(version="2", spare=0)
    assert orders.decide(fleet(old, booting), 1, 2, MOST).drain == []
