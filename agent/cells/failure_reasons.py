"""Why a turn failed where neither the meter nor OpenClaw says anything of use."""

import asyncio
import threading
from contextlib import suppress

import structlog

from agent.cells.host.disk import Disk
from agent.cells.host.process import CellProcess
from agent.cells.io.answer import STOP_POLL_SECONDS, Stuck
from agent.cells.io.gateway import GatewayFailed, GatewayRefused
from agent.turn import AgentFailed, Turn, TurnFailure

log = structlog.get_logger()

# A process that dies breaks its connections a moment before it is known to be gone.
GONE_SECONDS = 3


async def is_dead(error: GatewayFailed, gone: asyncio.Event, stop: threading.Event) -> bool:
    """Tell whether the cell's process, which sets `gone`, has died of what showed as `error`.

    It is given a moment for that, unless the user presses Stop.
    """
    if isinstance(error, GatewayRefused):
        return gone.is_set()
    with suppress(TimeoutError):
        async with asyncio.timeout(GONE_SECONDS):
            # A Stop comes from another thread.
            while not (gone.is_set() or stop.is_set()):  # noqa: ASYNC110
                await asyncio.sleep(STOP_POLL_SECONDS)
    return gone.is_set()


def of_living(error: GatewayFailed, turn: Turn, disk: Disk, pid: int | None) -> AgentFailed:
    """Say why the cell `pid`, which still runs, gave no answer; `error` is how that showed."""
    if not disk.has_room():
        return AgentFailed(TurnFailure.DISK_FULL, permanent=False)
    log.warning("turn.unanswered", pid=pid, error=str(error))
    if isinstance(error, Stuck) and turn.attempt > 1:
        # It is the message: a third cell would be lost to it too.
        return AgentFailed(TurnFailure.STUCK, permanent=True)
    return AgentFailed(TurnFailure.NO_ANSWER, permanent=False)


def of_dead(process: CellProcess, *, has_too_many_files: bool, is_too_large: bool) -> AgentFailed:
    """Say what a cell died of; the flags tell what we ended it for, if we did."""
    if has_too_many_files:
        return AgentFailed(TurnFailure.TOO_MANY_FILES, permanent=True)
    if is_too_large or process.was_too_large:
        log.warning("cell.out_of_memory", pid=process.pid)
        return AgentFailed(TurnFailure.OUT_OF_MEMORY, permanent=False)
    log.warning("cell.died", pid=process.pid, exit_code=process.exit_code)
    return AgentFailed(TurnFailure.CELL_DIED, permanent=False)
