"""Waiting for an answer, and for everything that can end the wait before it is whole."""

import asyncio
import threading
from collections.abc import Callable
from contextlib import aclosing
from typing import Any

from agent.cells.io.gateway import Gateway, GatewayFailed, GatewayRefused, Question
from agent.turn import AgentFailed, TurnFailure, Watcher

STOP_POLL_SECONDS = 0.05
SILENCE_POLL_SECONDS = 1.0
# More than all the calls of a turn could say.
MOST_CHARS = 2_000_000


class Stuck(GatewayFailed):
    """The cell did nothing for so long that it is not waited for any more."""


async def ask(
    gateway: Gateway,
    question: Question,
    watcher: Watcher,
    *,
    stop: threading.Event,
    gone: asyncio.Event,
    is_stuck: Callable[[], bool],
    limit_seconds: float,
) -> str:
    """Return the whole answer, telling `watcher` as it comes.

    Raises AgentFailed when the person stops it or time is up, Stuck when `is_stuck`, and
    GatewayFailed when the gateway fails or its cell is `gone`. However it ends, the request is
    closed.
    """
    asking = asyncio.create_task(_collect(gateway, question, watcher))
    stopping = asyncio.create_task(_until(stop.is_set, STOP_POLL_SECONDS))
    dying = asyncio.create_task(gone.wait())
    sticking = asyncio.create_task(_until(is_stuck, SILENCE_POLL_SECONDS))
    ends: set[asyncio.Task[Any]] = {asking, stopping, dying, sticking}
    try:
        await asyncio.wait(ends, timeout=limit_seconds, return_when=asyncio.FIRST_COMPLETED)
        if asking.done():
            return asking.result()
        if stopping.done():
            raise AgentFailed(TurnFailure.STOPPED, permanent=True)
        if dying.done():
            raise GatewayFailed("The cell died.")
        if sticking.done():
            raise Stuck("The cell has been silent for too long.")
        raise AgentFailed(TurnFailure.TIME_LIMIT, permanent=True)
    finally:
        for task in ends:
            await cancelled(task)


async def cancelled(task: asyncio.Task[Any]) -> None:
    """Cancel a task whose outcome matters no more, and wait until it has ended."""
    task.cancel()
    await asyncio.wait({task})
    if not task.cancelled():
        # Looked at, so that asyncio does not complain about an error that nobody saw.
        task.exception()


async def _collect(gateway: Gateway, question: Question, watcher: Watcher) -> str:
    parts: list[str] = []
    size = 0
    async with aclosing(gateway.ask(question)) as deltas:
        async for delta in deltas:
            parts.append(delta)
            size += len(delta)
            if size > MOST_CHARS:
                raise GatewayFailed("The answer has no end.")
            watcher.text(delta)
    text = "".join(parts)
    if not text.strip():
        raise GatewayRefused("The answer is empty.")
    return text


async def _until(holds: Callable[[], bool], poll_seconds: float) -> None:
    # What is asked has no event that could be awaited, and a thread for each turn would be a waste.
    while not holds():  # noqa: ASYNC110
        await asyncio.sleep(poll_seconds)
