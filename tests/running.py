"""How tests are run: what they are told by who runs them, and which of many are run each time."""

from collections.abc import Iterable, Sequence
from typing import Any

import pytest

# Who sets this has started the services already and gives their addresses, to start them once for
# several runs.
SERVICES_ARE_THERE = "TESTS_HAVE_SERVICES"


def some_of(cases: Iterable[str], *, every: int) -> Sequence[Any]:
    """Return what to parametrize a test with: each `every`th case, and all of them when it is long.

    The cases must be of one kind, so that some stand for the others.
    """
    return [
        pytest.param(case, marks=() if at % every == 0 else pytest.mark.long)
        for at, case in enumerate(cases)
    ]
