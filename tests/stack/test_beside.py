"""Hostile content of one user holds up nobody else on the same worker, and Stop ends it."""

import pytest

from tests.hostile.beside import STOP_SECONDS, Neighbours, sample
from tests.house import House

pytestmark = [pytest.mark.engine, pytest.mark.timeout(400), pytest.mark.xdist_group("house")]

# All of them: `make hostile`.
EVERY = 24


def test_another_user_has_their_first_word_as_soon_as_ever(house: House) -> None:
    neighbours = Neighbours(house)
    for content in sample(EVERY):
        # A machine that runs other tests may stumble once; what is held up is so again.
        tries = [neighbours.beside(content)]
        if tries[0].first_word > neighbours.bearable or tries[0].stopped_after > STOP_SECONDS:
            tries.append(neighbours.beside(content))
        assert min(one.first_word for one in tries) <= neighbours.bearable, content.name
        assert min(one.stopped_after for one in tries) <= STOP_SECONDS, content.name
