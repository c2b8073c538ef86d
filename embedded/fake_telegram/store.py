"""Everything the stand-in knows, in one SQLite file: a restart forgets nothing."""

import json
import sqlite3
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from embedded.fake_telegram.errors import Body

TABLES = """
CREATE TABLE IF NOT EXISTS objects (
    kind TEXT NOT NULL, id TEXT NOT NULL, owner INTEGER NOT NULL, body TEXT NOT NULL,
    seq INTEGER PRIMARY KEY, UNIQUE (kind, id)
);
CREATE INDEX IF NOT EXISTS objects_by_owner ON objects (kind, owner, seq);
CREATE TABLE IF NOT EXISTS contents (id TEXT PRIMARY KEY, content BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS journal (
    seq INTEGER PRIMARY KEY, at REAL NOT NULL, owner INTEGER NOT NULL, body TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS journal_by_owner ON journal (owner, seq);
"""
# Who tries things out for a year should not fill a disk.
MOST_NOTED, MOST_FILES, MOST_OBJECTS = 50_000, 500, 100_000


class Store:
    """Objects by kind and id, each owned by a chat or by nobody (0); contents of files; a journal.

    Only one process writes into it.
    """

    def __init__(self, path: Path | None) -> None:
        """Keep it all in the file at `path`, or only in memory."""
        if path is not None:
            _make_private(path)
        self._file = sqlite3.connect(path or ":memory:", isolation_level=None)
        self._file.execute("PRAGMA journal_mode = WAL")
        # A power cut may cost the last moment; a killed process costs nothing.
        self._file.execute("PRAGMA synchronous = NORMAL")
        self._file.executescript(TABLES)
        self._prune()

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
        """Forget everything but what the bot has set, and which numbers are taken."""
        self._file.execute(
            "DELETE FROM objects WHERE kind NOT IN ('number', 'setting', 'commands')"
        )
        self._file.execute("DELETE FROM contents")
        self._file.execute("DELETE FROM journal")

    def put(self, kind: str, object_id: int | str, body: Any, owner: int = 0) -> None:
        """Add an object, or replace the one of its kind and id."""
        self._file.execute(
            "INSERT INTO objects (kind, id, owner, body) VALUES (?, ?, ?, ?)"
            " ON CONFLICT (kind, id) DO UPDATE SET body = excluded.body",
            (kind, str(object_id), owner, json.dumps(body)),
        )

    def find(self, kind: str, object_id: int | str) -> Any:
        """Return an object, or None when there is none of this id."""
        row = self._file.execute(
            "SELECT body FROM objects WHERE kind = ? AND id = ?", (kind, str(object_id))
        ).fetchone()
        return json.loads(row[0]) if row else None

    def remove(self, kind: str, object_id: int | str) -> None:
        self._file.execute("DELETE FROM objects WHERE kind = ? AND id = ?", (kind, str(object_id)))

    def listed(self, kind: str, owner: int = 0, *, newest: int = -1) -> list[Any]:
        """List an owner's objects of a kind, oldest first; only so many of the newest, if given."""
        rows = self._file.execute(
            "SELECT body FROM objects WHERE kind = ? AND owner = ? ORDER BY seq DESC LIMIT ?",
            (kind, owner, newest),
        ).fetchall()
        return [json.loads(row[0]) for row in reversed(rows)]

    def next_number(self, name: str, first: int = 1) -> int:
        """Return the next whole number of this name, each once."""
        number = int(self.find("number", name) or first)
        self.put("number", name, number + 1)
        return number

    def keep_content(self, file_id: str, content: bytes) -> None:
        self._file.execute("INSERT INTO contents VALUES (?, ?)", (file_id, content))

    def content(self, file_id: str) -> bytes | None:
        """Return what a file has in it; None once it is gone."""
        row = self._file.execute("SELECT content FROM contents WHERE id = ?", (file_id,)).fetchone()
        return row[0] if row else None

    def note(self, owner: int, body: Body) -> None:
        """Add an entry to the journal."""
        self._file.execute(
            "INSERT INTO journal (at, owner, body) VALUES (?, ?, ?)",
            (time.time(), owner, json.dumps(body)),
        )

    def noted(self, owner: int | None = None) -> list[Body]:
        """List the journal's entries, oldest first; all of them, or those of one chat."""
        rows = self._file.execute(
            "SELECT seq, at, owner, body FROM journal WHERE ? IS NULL OR owner = ? ORDER BY seq",
            (owner, owner),
        )
        return [
            {"seq": seq, "at": at, "chat_id": chat, **json.loads(body)}
            for seq, at, chat, body in rows
        ]

    def _prune(self) -> None:
        self._file.execute(
            "DELETE FROM journal WHERE seq <= (SELECT max(seq) FROM journal) - ?", (MOST_NOTED,)
        )
        self._file.execute(
            "DELETE FROM contents WHERE rowid <= (SELECT max(rowid) FROM contents) - ?",
            (MOST_FILES,),
        )
        self._file.execute(
            "DELETE FROM objects WHERE kind IN ('old_update', 'file', 'path', 'press')"
            " AND seq <= (SELECT max(seq) FROM objects) - ?",
            (MOST_OBJECTS,),
        )


def _make_private(path: Path) -> None:
    """Let nobody else read the file at `path`, nor those that SQLite puts beside it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.parent.chmod(0o700)
    path.touch(mode=0o600)
    path.chmod(0o600)
