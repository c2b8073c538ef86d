"""What a relay sends and takes: a real Node, a real SQLite, the worker's own client."""

import asyncio
import os
import sqlite3
from collections.abc import Awaitable, Callable, Generator
from pathlib import Path
from typing import TypeVar

import pytest

from agent.files import CellFile, CellFiles, Changed, FilesFailed
from agent.state import DATABASE, StateWriter, pack
from agent.state.merging import assemble
from agent.state.pack import Pack
from agent.state.tree import PAGE_BYTES, Tree
from settings import Settings
from tests.agent.state.relay import Relay, started

Result = TypeVar("Result")
ROWS = "CREATE TABLE rows (id INTEGER PRIMARY KEY, words TEXT)"


@pytest.fixture
def relay(settings: Settings, tmp_path: Path) -> Generator[Relay]:
    with started(settings, tmp_path) as relay:
        yield relay


def test_a_live_database_is_read_with_its_log(relay: Relay, tmp_path: Path) -> None:
    with relay.open_database() as database:
        database.execute(ROWS)
        database.execute("INSERT INTO rows VALUES (1, 'in the log')")
        assert relay.database.stat().st_size < Path(f"{relay.database}-wal").stat().st_size

        sent, _ = _read(relay)

    copy = tmp_path / "copy.sqlite"
    copy.write_bytes(b"".join(change.data or b"" for change in sent))
    assert [change.path for change in sent] == [DATABASE]
    with sqlite3.connect(copy) as saved:
        assert saved.execute("SELECT words FROM rows").fetchall() == [("in the log",)]


def test_only_what_changed_is_sent_again(relay: Relay) -> None:
    relay.write("book.txt", b"a" * 3_000_000)
    relay.write("notes/one.md", b"one")
    with relay.open_database() as database:
        _fill(database)
        _, generation = _read_when_settled(relay)
        database.execute("UPDATE rows SET words = 'changed' WHERE id = 700")
        relay.write("notes/one.md", b"two")

        sent, _ = _read(relay, generation)

    by_path = {change.path: change for change in sent}
    assert by_path["workspace/book.txt"].data is None
    assert by_path["workspace/notes/one.md"].data == b"two"
    pages = [change for change in sent if change.path == DATABASE]
    assert 1 <= sum(len(change.data or b"") for change in pages) // PAGE_BYTES <= 3


def test_who_does_not_name_the_last_generation_is_sent_everything(relay: Relay) -> None:
    relay.write("notes.md", b"notes")
    with relay.open_database() as database:
        _fill(database)
        _, first = _read_when_settled(relay)
        _, second = _read(relay, first)
        for since in (first, 0, second + 9):
            sent, _ = _read(relay, since)
            assert all(change.data is not None for change in sent)


def test_what_is_saved_again_and_again_comes_back(relay: Relay, tmp_path: Path) -> None:
    packs: list[Pack] = []
    tree: Tree = {}
    generation = 0
    with relay.open_database() as database:
        _fill(database)
        for turn in range(6):
            relay.write(f"day-{turn}.md", b"x" * turn)
            relay.write("long.txt", os.urandom(5_000_000 if turn in {1, 2} else 100))
            if turn == 4:
                (relay.root / "workspace/day-1.md").unlink()
            database.execute("UPDATE rows SET words = ? WHERE id = ?", (f"turn {turn}", turn * 90))
            database.execute("INSERT INTO rows (words) VALUES (?)", ("more " * 900,))
            tree, packed, generation = _saved(relay, tree, generation)
            packs.append(pack.read(packed))

    files, _ = assemble(packs)

    found = {file.path: file.data for file in files}
    workspace = relay.root / "workspace"
    assert set(found) == {DATABASE, *(f"workspace/{path.name}" for path in workspace.iterdir())}
    assert found["workspace/long.txt"] == (workspace / "long.txt").read_bytes()
    copy = tmp_path / "copy.sqlite"
    copy.write_bytes(found[DATABASE])
    with sqlite3.connect(copy) as restored, sqlite3.connect(relay.database) as live:
        rows = "SELECT * FROM rows ORDER BY id"
        assert restored.execute(rows).fetchall() == live.execute(rows).fetchall()
        assert restored.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def test_restored_files_have_their_times_and_are_not_sent_back(relay: Relay) -> None:
    files = [
        CellFile("workspace/uploads/old.pdf", os.urandom(9_000_000), 1_700_000_000),
        CellFile("workspace/empty", b"", 1_700_000_001),
        CellFile("workspace/ü/„x“ %41?#.md", b"odd name", 1_700_000_002),
    ]

    generation = _ask(relay, lambda cell: cell.put_state(files))
    for file in files:
        path = relay.root / file.path
        assert (path.read_bytes(), int(path.stat().st_mtime)) == (file.data, file.mtime)
    sent, _ = _read(relay, generation)

    assert {change.path: change.data for change in sent} == {file.path: None for file in files}


def test_a_restored_database_is_sent_whole_once(relay: Relay, tmp_path: Path) -> None:
    with relay.open_database() as database:
        _fill(database)
    saved = CellFile(DATABASE, relay.database.read_bytes())
    relay.database.unlink()

    generation = _ask(relay, lambda cell: cell.put_state([saved]))
    first, generation = _read(relay, generation)
    second, _ = _read(relay, generation)

    sent = b"".join(change.data or b"" for change in first)
    # SQLite counts the copies that it makes, on the first page.
    assert sent[PAGE_BYTES:] == saved.data[PAGE_BYTES:]
    assert second == [Changed(DATABASE)]


def test_what_stood_in_the_cell_before_is_sent_with_the_first_save(relay: Relay) -> None:
    relay.write("AGENTS.md", b"OpenClaw's own")
    generation = _ask(relay, lambda cell: cell.put_state([CellFile("workspace/x", b"x")]))

    sent, _ = _read(relay, generation)

    assert {change.path: change.data for change in sent} == {
        "workspace/AGENTS.md": b"OpenClaw's own",
        "workspace/x": None,
    }


@pytest.mark.parametrize("path", ["../out", "/tmp/out", "workspace/../../out"])
def test_nothing_is_restored_outside_of_the_cell(relay: Relay, path: str) -> None:
    with pytest.raises(FilesFailed):
        _ask(relay, lambda cell: cell.put_state([CellFile(path, b"x")]))

    assert not (relay.root.parent / "out").exists()


def test_a_link_leads_nowhere(relay: Relay, tmp_path: Path) -> None:
    (tmp_path / "secret").write_bytes(b"not the assistant's")
    relay.write("note.md", b"note")
    (relay.root / "workspace/link.md").symlink_to(tmp_path / "secret")
    (relay.root / "workspace/folder").symlink_to(tmp_path)

    sent, _ = _read(relay)

    assert [(change.path, change.data) for change in sent] == [("workspace/note.md", b"note")]

    async def by_name(cell: CellFiles) -> tuple[bytes | None, bytes | None]:
        note, link = "workspace/note.md", "workspace/link.md"
        return await cell.get(note, 100), await cell.get(link, 100)

    assert _ask(relay, by_name) == (b"note", None)


def test_one_file_is_read_only_where_it_stands(relay: Relay, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("not theirs")
    relay.write("plan.md", b"theirs")
    workspace = relay.root / "workspace"
    (workspace / "folder").symlink_to(tmp_path)
    (workspace / "link.md").symlink_to(tmp_path / "secret")
    (tmp_path / "shared").write_text("not theirs alone")
    (workspace / "second.md").hardlink_to(tmp_path / "shared")
    os.mkfifo(workspace / "pipe.md")

    def _get(name: str) -> bytes | None:
        return _ask(relay, lambda files: files.get(f"workspace/{name}", 100))

    assert _get("plan.md") == b"theirs"
    assert _ask(relay, lambda files: files.get("workspace/plan.md", 3)) == b"the"
    for name in ("folder/secret", "link.md", "second.md", "pipe.md", "folder", "none.md"):
        assert _get(name) is None


def test_deleted_files_are_taken_out_and_nothing_beside_them(relay: Relay, tmp_path: Path) -> None:
    (tmp_path / "outside.md").write_text("stays")
    (relay.root / "openclaw.json").write_text("stays")
    for name in ("files/plan.md", "files/plan.md.txt", "notes.md"):
        relay.write(name, b"words")
    paths = ["files/plan.md", "none.md", "../openclaw.json", "../../outside.md", "files", ""]
    _ask(relay, lambda files: files.forget([], [], paths))
    left = {str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*") if path.is_file()}
    assert left == {
        "cell/openclaw.json",
        "cell/workspace/files/plan.md.txt",
        "cell/workspace/notes.md",
        "outside.md",
    }


def _fill(database: sqlite3.Connection) -> None:
    database.execute(ROWS)
    database.executemany("INSERT INTO rows VALUES (?, ?)", ((n, "w" * 99) for n in range(2000)))


def _saved(relay: Relay, tree: Tree, since: int) -> tuple[Tree, bytes, int]:
    writer = StateWriter(tree, {})
    sent, generation = _read(relay, since)
    for change in sent:
        writer.add(change)
    tree, packed = writer.finish()
    assert packed is not None
    return tree, packed, generation


def _read_when_settled(relay: Relay) -> tuple[list[Changed], int]:
    """Read until the relay is sure of all files: those of the last tick it must send once more."""
    sent, generation = _read(relay)
    while any(change.data is not None for change in sent):
        sent, generation = _read(relay, generation)
    return sent, generation


def _read(relay: Relay, since: int = 0) -> tuple[list[Changed], int]:
    async def read(cell: CellFiles) -> tuple[list[Changed], int]:
        sent: list[Changed] = []
        async for change in cell.state(since):
            if not isinstance(change, Changed):
                return sent, change.number
            sent.append(change)
        raise AssertionError

    return _ask(relay, read)


def _ask(relay: Relay, question: Callable[[CellFiles], Awaitable[Result]]) -> Result:
    async def ask() -> Result:
        cell = CellFiles(str(relay.socket_path))
        try:
            return await question(cell)
        finally:
            await cell.close()

    return asyncio.run(ask())
