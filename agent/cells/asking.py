"""Waiting for an answer, and for everything that can end the wait before it is whole."""

import asyncio
import threading
from contextlib import aclosing
from typing import Any

from agent.cells.gateway import Gateway, GatewayFailed, Question
from agent.turn import AgentFailed, Watcher

STOP_POLL_SECONDS = 0.05

STOPPED = "Stopped."
TOO_LONG = "This took longer than a message may take, so it was ended."


async def ask(
    gateway: Gateway,
    question: Question,
    watcher: Watcher,
    *,
    stop: threading.Event,
    gone: asyncio.Event,
    limit_seconds: float,
) -> str:
    """Return the whole answer, telling `watcher` as it comes.

    Raises AgentFailed when the person stops it or time is up, and GatewayFailed when the gateway
    fails or its cell is `gone`. However it ends, the request is closed.
    """
    asking = asyncio.create_task(_collect(gateway, question, watcher))
    stopping = asyncio.create_task(_until_set(stop))
    dying = asyncio.create_task(gone.wait())
    ends: set[asyncio.Task[Any]] = {asking, stopping, dying}
    try:
        await asyncio.wait(ends, timeout=limit_seconds, return_when=asyncio.FIRST_COMPLETED)
        if asking.done():
            return asking.result()
        if stopping.done():
            raise AgentFailed("stopped", STOPPED, permanent=True)
        if dying.done():
            raise GatewayFailed("The cell died.")
        raise AgentFailed("time_limit", TOO_LONG, permanent=True)
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
    async with aclosing(gateway.ask(question)) as deltas:
        async for delta in deltas:
            parts.append(delta)
            watcher.text(delta)
    text = "".join(parts)
    if not text.strip():
        raise GatewayFailed("The answer is empty.")
    return text


async def _until_set(stop: threading.Event) -> None:
    # A thread's event cannot be awaited, and a thread for each turn would be a waste.
    while not stop.is_set():  # noqa: ASYNC110
        await asyncio.sleep(STOP_POLL_SECONDS)
