"""What those wait for who need a cell."""

import asyncio

import pytest

from agent.cells.pulse import Pulse

LONG_SECONDS = 60
# From a change until whoever waits for it goes on, the loop goes round a few times.
ROUNDS = range(5)


async def _keep(changes: Pulse) -> None:
    while True:
        await changes.wait(LONG_SECONDS)


def test_a_change_wakes_all_who_wait() -> None:
    async def run() -> None:
        changes = Pulse()
        waiting = [asyncio.create_task(changes.wait(LONG_SECONDS)) for _ in range(3)]
        await asyncio.sleep(0)
        changes.fire()
        async with asyncio.timeout(LONG_SECONDS / 2):
            await asyncio.gather(*waiting)

    asyncio.run(run())


def test_without_a_change_the_time_ends_the_wait() -> None:
    async def run() -> None:
        await Pulse().wait(0.01)

    asyncio.run(run())


@pytest.mark.parametrize("rounds", ROUNDS)
def test_whoever_is_cancelled_at_a_change_ends(rounds: int) -> None:
    async def run() -> bool:
        changes = Pulse()
        keeping = asyncio.create_task(_keep(changes))
        await asyncio.sleep(0)
        changes.fire()
        for _ in range(rounds):
            await asyncio.sleep(0)
        keeping.cancel()
        await asyncio.wait({keeping}, timeout=1)
        return keeping.cancelled()

    assert asyncio.run(run())
