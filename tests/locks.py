"""Locks of PostgreSQL, for tests of what happens while somebody waits for one."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import sqlalchemy as sa
from sqlalchemy.orm import Session

from models.database import unit_of_work
from tests.house import wait_for


def wait_for_waiter(engine: sa.Engine) -> None:
    """Return once somebody waits for a lock."""

    def _is_waiting() -> bool:
        with engine.connect() as looking:
            return bool(looking.scalar(sa.text("SELECT 1 FROM pg_locks WHERE NOT granted")))

    wait_for(_is_waiting, "somebody to wait for a lock", seconds=10)


def raised_while(
    engine: sa.Engine, holds: Callable[[Session], object], waits: Callable[[Session], object]
) -> BaseException | None:
    """Let `waits` come upon what `holds` has locked and then commits; return what it raises."""

    def _wait() -> None:
        with unit_of_work() as db:
            waits(db)

    with ThreadPoolExecutor(1) as pool, unit_of_work() as db:
        holds(db)
        waiting = pool.submit(_wait)
        wait_for_waiter(engine)
    return waiting.exception(10)
