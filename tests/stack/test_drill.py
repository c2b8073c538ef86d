"""A short drill: the long one is `make drill`."""

import os

import pytest

from tests.drill.plan import draw
from tests.drill.run import Drill
from tests.drill.workers import Workers
from tests.house import House

pytestmark = [pytest.mark.engine, pytest.mark.timeout(600), pytest.mark.xdist_group("house")]

SEED = 7


def test_nothing_is_lost_when_things_break(house: House) -> None:
    plan = draw(SEED, users=2, messages=12, faults=6, pause_seconds=1.5)

    report = Drill(house, plan, Workers(house.stack), at_once=2, say=print).run()

    assert sum(report.faults.values()) >= 4
    assert report.planted or os.geteuid(), "no canary was planted in a cell"
    assert {name: found for name, found in report.findings.items() if found} == {}
