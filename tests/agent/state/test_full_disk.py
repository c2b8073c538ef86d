"""A cell whose disk is full: refused by name, and nothing is half there."""

import asyncio
from collections.abc import Awaitable, Callable, Generator
from pathlib import Path
from typing import TypeVar

import pytest

from agent.cells.files import CellFile, CellFiles, Changed, DiskFull, Generation
from agent.state import DATABASE
from settings import Settings
from tests.agent.disks import filled, small_disk
from tests.agent.state.relay import Relay, started

Result = TypeVar("Result")
ROOM_MB = 8
TOO_MUCH = b"x" * (ROOM_MB + 1) * 1024 * 1024
NOTES = "workspace/notes.md"


@pytest.fixture
def relay(settings: Settings, tmp_path: Path) -> Generator[Relay]:
    with small_disk(tmp_path / "cell", ROOM_MB), started(settings, tmp_path) as relay:
        yield relay


def test_a_save_is_refused_and_the_next_one_has_it_all(relay: Relay) -> None:
    relay.write("notes.md", b"notes")
    with relay.open_database() as database:
        database.execute("CREATE TABLE rows (words TEXT)")
        database.execute("INSERT INTO rows VALUES (?)", ("w" * 100_000,))
        with filled(relay.root), pytest.raises(DiskFull):
            _ask(relay, _read)
        # Half of a copy would keep the disk full.
        assert not list(relay.root.glob("state-copy*"))

        sent = _ask(relay, _read)

    assert [change.path for change in sent] == [DATABASE, NOTES]
    assert len(sent[0].data or b"") == sent[0].size > 100_000


def test_a_file_is_written_whole_or_not_at_all(relay: Relay) -> None:
    _ask(relay, lambda cell: cell.put(NOTES, b"as they were"))

    with pytest.raises(DiskFull):
        _ask(relay, lambda cell: cell.put(NOTES, TOO_MUCH))

    assert _ask(relay, lambda cell: cell.get(NOTES)) == b"as they were"
    assert [path.name for path in (relay.root / "workspace").iterdir()] == ["notes.md"]


def test_files_that_do_not_fit_are_not_taken_for_restored(relay: Relay) -> None:
    with pytest.raises(DiskFull):
        _ask(relay, lambda cell: cell.put_state([CellFile(NOTES, TOO_MUCH)]))


async def _read(cell: CellFiles) -> list[Changed]:
    found = [change async for change in cell.state(0)]
    assert isinstance(found[-1], Generation)
    return [change for change in found if isinstance(change, Changed)]


def _ask(relay: Relay, question: Callable[[CellFiles], Awaitable[Result]]) -> Result:
    async def ask() -> Result:
        cell = CellFiles(str(relay.socket_path))
        try:
            return await question(cell)
        finally:
            await cell.close()

    return asyncio.run(ask())
