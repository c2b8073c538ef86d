"""What it means for a turn when the files of a cell could not be read or written."""

from agent.files import DiskFull, FilesFailed
from agent.turn import AgentFailed, TurnFailure


def of_turn(error: FilesFailed) -> AgentFailed:
    """Return what the turn fails of: a full disk, or a cell that is no good any more."""
    if isinstance(error, DiskFull):
        return AgentFailed(TurnFailure.DISK_FULL, permanent=False)
    return AgentFailed(TurnFailure.CELL_DIED, permanent=False)
