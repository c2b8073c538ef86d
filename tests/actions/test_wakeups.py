"""What is said to the workers, and how long it is worth being heard."""

from itertools import pairwise

import pytest
from dramatiq import Message

from actions import wakeups
from actions.broker import get_broker
from models.base import new_id

# In seconds: a spare boots in 12 to 15 seconds on a machine that does little else.
BOOT = 15


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Message[None], int]]:
    """What was handed to the broker, with the milliseconds it is to wait."""
    sent: list[tuple[Message[None], int]] = []

    def _enqueue(message: Message[None], *, delay: int | None = None) -> Message[None]:
        sent.append((message, delay or 0))
        return message

    monkeypatch.setattr(get_broker(), "enqueue", _enqueue)
    return sent


def test_who_finds_no_spare_is_told_of_until_one_has_booted(
    sent: list[tuple[Message[None], int]],
) -> None:
    person = new_id()
    wakeups.warm(person)
    while (left := sent[-1][0].args[1]) > 1:
        wakeups.warm(person, left - 1)

    waits = [wait for _, wait in sent]
    assert waits[0] == 0
    assert sum(waits) > BOOT * 1000
    assert all(later > earlier for earlier, later in pairwise(waits))


def test_a_try_that_waits_is_not_too_old_when_it_comes(
    sent: list[tuple[Message[None], int]],
) -> None:
    for tries in range(1, wakeups.WARM_TRIES + 1):
        wakeups.warm(new_id(), tries)

    for message, wait in sent:
        assert message.options["max_age"] >= wait + wakeups.WARM_MAX_AGE_MS
