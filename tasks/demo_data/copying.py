"""Writes rows to PostgreSQL by COPY, many at a time."""

from collections import defaultdict
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import psycopg

AT_ONCE = 20_000
# COPY gives these a meaning.
ESCAPED = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})
NEVER = r"\N"


class Copier:
    """Gathers rows by table, and sends them when there are many; `flush` sends the rest.

    Foreign keys are not looked at meanwhile: what is copied must be whole when it is committed.
    """

    def __init__(self, connection: "psycopg.Connection[Any]", columns: Mapping[str, str]) -> None:
        self._connection = connection
        self._columns = columns
        self._rows: dict[str, list[str]] = defaultdict(list)
        connection.execute("SET LOCAL session_replication_role = replica")

    def add(self, table: str, *values: object) -> None:
        """Add a row, its values in the order of the columns."""
        rows = self._rows[table]
        rows.append("\t".join(map(_written, values)))
        if len(rows) >= AT_ONCE:
            self._send(table)

    def flush(self) -> None:
        """Send what is left."""
        for table in list(self._rows):
            self._send(table)

    def _send(self, table: str) -> None:
        rows = self._rows.pop(table, [])
        statement = f"COPY {table} ({self._columns[table]}) FROM STDIN"
        with self._connection.cursor() as cursor, cursor.copy(statement.encode()) as copy:
            copy.write("\n".join(rows) + "\n" if rows else "")


def _written(value: object) -> str:
    if value is None:
        return NEVER
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    if isinstance(value, UUID | int | float):
        return str(value)
    return str(value).translate(ESCAPED)
