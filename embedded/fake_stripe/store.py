"""Everything the stand-in knows, in one SQLite file: a restart forgets nothing."""

import json
import sqlite3
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from embedded.fake_stripe.forms import Body

TABLES = """
CREATE TABLE IF NOT EXISTS objects (
    seq INTEGER PRIMARY KEY, id TEXT UNIQUE NOT NULL, kind TEXT NOT NULL, body TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS objects_by_kind ON objects (kind, seq);
CREATE TABLE IF NOT EXISTS answers (
    key TEXT PRIMARY KEY, asked TEXT NOT NULL, status INTEGER NOT NULL, body TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS undelivered (event_id TEXT PRIMARY KEY);
"""


def _make_private(path: Path) -> None:
    """Let nobody else read the file at `path`, nor those that SQLite puts beside it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.parent.chmod(0o700)
    path.touch(mode=0o600)
    path.chmod(0o600)


class Store:
    """Objects by id, answers by idempotency key, and the events that are still to be told."""

    def __init__(self, path: Path | None) -> None:
        """Keep it all in the file at `path`, or only in memory."""
        if path is not None:
            _make_private(path)
        self._file = sqlite3.connect(path or ":memory:", isolation_level=None)
        self._file.execute("PRAGMA journal_mode = WAL")
        self._file.executescript(TABLES)

    def close(self) -> None:
        self._file.close()

    @contextmanager
    def change(self) -> Generator[None]:
        """Make what happens inside visible at once, or not at all."""
        self._file.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._file.execute("ROLLBACK")
            raise
        self._file.execute("COMMIT")

    def clear(self) -> None:
        """Forget everything."""
        for table in ("objects", "answers", "undelivered"):
            self._file.execute(f"DELETE FROM {table}")  # noqa: S608  # names of our own

    def put(self, body: Body) -> Body:
        """Add an object, or replace the one of its id."""
        self._file.execute(
            "INSERT INTO objects (id, kind, body) VALUES (?, ?, ?)"
            " ON CONFLICT (id) DO UPDATE SET body = excluded.body",
            (body["id"], body["object"], json.dumps(body)),
        )
        return body

    def find(self, object_id: str) -> Body | None:
        """Return an object, or None when there is none of this id."""
        row = self._file.execute("SELECT body FROM objects WHERE id = ?", (object_id,)).fetchone()
        return json.loads(row[0]) if row else None

    def newest_first(self, kind: str) -> list[Body]:
        """List all objects of a kind."""
        rows = self._file.execute(
            "SELECT body FROM objects WHERE kind = ? ORDER BY seq DESC", (kind,)
        )
        return [json.loads(row[0]) for row in rows]

    def answer_to(self, key: str) -> tuple[str, int, Body] | None:
        """Return what was asked under an idempotency key, and how that was answered."""
        row = self._file.execute(
            "SELECT asked, status, body FROM answers WHERE key = ?", (key,)
        ).fetchone()
        return (row[0], row[1], json.loads(row[2])) if row else None

    def keep_answer(self, key: str, asked: str, status: int, body: Body) -> None:
        self._file.execute(
            "INSERT INTO answers VALUES (?, ?, ?, ?)", (key, asked, status, json.dumps(body))
        )

    def owe(self, event_id: str) -> None:
        """Note that an event is still to be told."""
        self._file.execute("INSERT OR IGNORE INTO undelivered VALUES (?)", (event_id,))

    def settle(self, event_id: str) -> None:
        """Note that an event was heard, or will never be told."""
        self._file.execute("DELETE FROM undelivered WHERE event_id = ?", (event_id,))

    def owed(self) -> list[str]:
        """List the events that are still to be told, oldest first."""
        rows: list[Any] = self._file.execute(
            "SELECT event_id FROM undelivered JOIN objects ON id = event_id ORDER BY seq"
        ).fetchall()
        return [row[0] for row in rows]
