"""How a worker's cells are, in numbers."""

from dataclasses import dataclass

from agent.cells.boot.scheduler import BootCounts

NO_BOOTS = BootCounts()


@dataclass(frozen=True)
class PoolStats:
    """How many cells there are of each kind, what separates them, and what they take."""

    booting: int
    spare: int
    hot: int
    busy: int
    capacity: int
    sandbox: str
    boots: BootCounts = NO_BOOTS
    # What all cells have, when it was last looked at; and what is left for programs.
    memory_bytes: int = 0
    memory_free_bytes: int = 0
