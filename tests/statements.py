"""What a session says to PostgreSQL."""

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
