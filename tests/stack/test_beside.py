"""Hostile content of one user holds up nobody else on the same worker, and Stop ends it."""

import pytest

from tests.hostile.beside import Neighbours, sample
from tests.house import House

pytestmark = [pytest.mark.engine, pytest.mark.timeout(400), pytest.mark.xdist_group("house")]

# All of them, and by how much they may delay another user at most: `make hostile`.
EVERY = 24
# What holds a worker up does so until a helper process is killed, or for minutes; a machine that
# runs other tests meanwhile takes a second or two.
HELD_UP_SECONDS = 5.0


def test_another_user_is_not_held_up_and_stop_ends_it(house: House) -> None:
    neighbours = Neighbours(house)
    for content in sample(EVERY):
        one = neighbours.beside(content)
        assert one.first_word < HELD_UP_SECONDS, content.name
        assert one.stopped_after < HELD_UP_SECONDS, content.name
