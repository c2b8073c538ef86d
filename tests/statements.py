"""What a session says to PostgreSQL."""

import re
from collections.abc import Generator
from contextlib import contextmanager

from sqlalchemy import event
from sqlalchemy.orm import Session


@contextmanager
def said_by(db: Session) -> Generator[list[str]]:
    """Collect the statements of a session meanwhile."""
    said: list[str] = []

    def _note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        said.append(statement)

    connection = db.connection()
    event.listen(connection, "before_cursor_execute", _note)
    try:
        yield said
    finally:
        event.remove(connection, "before_cursor_execute", _note)


def plan_for_any(db: Session, statement: str) -> str:
    """Plan a statement as PostgreSQL does for all values, once it was prepared; by an index."""
    numbers: dict[str, int] = {}

    def _number(found: re.Match[str]) -> str:
        return f"${numbers.setdefault(found[1], len(numbers) + 1)}"

    prepared = re.sub(r"%\((\w+)\)s", _number, statement)
    connection = db.connection()
    connection.exec_driver_sql("SET LOCAL enable_seqscan = off")
    plan = connection.exec_driver_sql(f"EXPLAIN (GENERIC_PLAN) {prepared}")
    return "\n".join(plan.scalars())
