"""Why a turn failed where neither the meter nor OpenClaw says anything of use."""

import structlog

from agent.cells.host.disk import Disk
from agent.cells.host.process import CellProcess
from agent.cells.io.answer import Stuck
from agent.cells.io.gateway import GatewayFailed
from agent.turn import AgentFailed, Turn, TurnFailure

log = structlog.get_logger()


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
