"""Noticing, from outside, that some message has come to a stage of its life."""

import time

import sqlalchemy as sa
from sqlalchemy.exc import SQLAlchemyError

from tests.drill.plan import Stage
from tests.house import House

LOOK_SECONDS = 0.004

SIGNS = {
    Stage.QUEUED: "SELECT 1 FROM jobs WHERE status = 'pending' AND is_head LIMIT 1",
    Stage.CLAIMED: """
        SELECT 1 FROM jobs WHERE status = 'running' AND NOT EXISTS (
            SELECT 1 FROM model_calls c WHERE c.job_id = jobs.id AND c.attempt = jobs.attempt
        ) LIMIT 1""",
    Stage.CALLING: "SELECT 1 FROM model_calls WHERE status = 'open' LIMIT 1",
    # Words come a moment after the call was opened.
    Stage.WRITING: """
        SELECT 1 FROM model_calls WHERE status = 'open'
         AND created_at < clock_timestamp() - interval '150 ms' LIMIT 1""",
    Stage.ANSWERED: """
        SELECT 1 FROM jobs JOIN model_calls c ON c.job_id = jobs.id AND c.attempt = jobs.attempt
         WHERE jobs.status = 'running' AND c.status = 'completed' LIMIT 1""",
    Stage.SAVING: """
        SELECT 1 FROM jobs JOIN users ON users.id = jobs.user_id
         WHERE jobs.status = 'completed' AND users.cell_worker_until > clock_timestamp()
         AND jobs.finished_at > clock_timestamp() - interval '1 second' LIMIT 1""",
    Stage.SAVED: """
        SELECT 1 FROM state_snapshots
         WHERE created_at > clock_timestamp() - interval '100 ms' LIMIT 1""",
    Stage.PAYING: """
        SELECT 1 FROM payments
         WHERE status = 'open' AND created_at > clock_timestamp() - interval '1 second' LIMIT 1""",
    Stage.PAID: """
        SELECT 1 FROM payments
         WHERE paid_at > clock_timestamp() - interval '100 ms' LIMIT 1""",
}


def wait_until(house: House, stage: Stage, seconds: float) -> bool:
    """Return as soon as some message is at `stage`; False if none was within so many seconds."""
    if stage is Stage.ANY:
        return True
    ends = time.monotonic() + seconds
    while time.monotonic() < ends:
        try:
            with house.database() as db:
                while time.monotonic() < ends:
                    if db.execute(sa.text(SIGNS[stage])).first():
                        return True
                    db.rollback()
                    time.sleep(LOOK_SECONDS)
        except SQLAlchemyError:
            # The database itself may be what broke last.
            time.sleep(0.2)
    return False
