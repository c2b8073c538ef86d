"""How long honest users of a drill waited: from when a message was next to its first call."""

from collections.abc import Collection
from statistics import quantiles
from typing import NamedTuple
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

# Messages behind others of their own user wait for those; what counts is the pool's share of it.
WAITS = """
    WITH turns AS (
        SELECT j.id, j.created_at,
               max(before.finished_at) AS lane_free_at, min(c.created_at) AS called_at
          FROM jobs j
          JOIN model_calls c ON c.job_id = j.id AND c.attempt = 1
          LEFT JOIN jobs before ON before.user_id = j.user_id AND before.id < j.id
         WHERE j.user_id = ANY(:people) GROUP BY j.id)
    SELECT extract(epoch FROM called_at - greatest(created_at, lane_free_at)) FROM turns
     WHERE called_at > greatest(created_at, lane_free_at)"""


class Waits(NamedTuple):
    """Seconds that half of the messages waited at most, and nine of ten."""

    median: float
    p90: float


def of(db: Session, people: Collection[UUID]) -> Waits:
    """Measure the waits of these users' messages; zero of none."""
    found = sorted(float(one) for one in db.scalars(sa.text(WAITS), {"people": list(people)}))
    if len(found) < 2:
        return Waits(0, 0)
    tenths = quantiles(found, n=10)
    return Waits(tenths[4], tenths[8])
