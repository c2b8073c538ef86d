"""For how many of the people who wait in the queue one worker boots cells."""

import math
from collections.abc import Sequence
from uuid import UUID

from agent.cells.demand import PATIENCE_SECONDS

# About a boot. Whoever still waits then is helped by twice as many workers: the first may be stuck.
STEP_SECONDS = 5.0
MOST_STEPS = 10


def share(people: int, seconds: float, worker_id: UUID, live: Sequence[UUID]) -> int:
    """Count the cells that a worker boots for `people`, the first of whom has waited `seconds`.

    `live` are the workers in the order in which they help. At first they boot one cell for each
    who waits: if all did, one person would cost a fleet of full workers an idle cell each.
    """
    workers = live if worker_id in live else [*live, worker_id]
    steps = max(0, int((seconds - PATIENCE_SECONDS) / STEP_SECONDS))
    cells = people * 2 ** min(steps, MOST_STEPS)
    everyone, some = divmod(cells, len(workers))
    mine = everyone + (workers.index(worker_id) < some)
    return min(mine, math.ceil(people / len(workers)))
