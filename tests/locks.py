"""Locks of PostgreSQL, for tests of what happens while somebody waits for one."""

import sqlalchemy as sa

from tests.house import wait_for


def wait_for_waiter(engine: sa.Engine) -> None:
    """Return once somebody waits for a lock."""

    def _is_waiting() -> bool:
        with engine.connect() as looking:
            return bool(looking.scalar(sa.text("SELECT 1 FROM pg_locks WHERE NOT granted")))

    wait_for(_is_waiting, "somebody to wait for a lock", seconds=10)
