"""A cell whose disk is full: refused by name, and nothing is half there."""

import asyncio
import shutil
from collections.abc import Awaitable, Callable, Generator
from pathlib import Path
from typing import TypeVar

import pytest

from agent.files import CellFile, CellFiles, Changed, DiskFull, Generation
from agent.state import DATABASE
from settings import Settings
from tests.agent.disks import filled, small_disk
from tests.agent.state.relay import Relay, started

Result = TypeVar("Result")
# Such that the last bytes of what is just too large do not begin a part of their own.
ROOM_MB = 7
# By how much a file is too large: by less than is written at once, and by more.
too_large_by = pytest.mark.parametrize("excess", [1, 2 * 1024 * 1024])
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


@too_large_by
def test_a_file_is_written_whole_or_not_at_all(relay: Relay, excess: int) -> None:
    _ask(relay, lambda cell: cell.put(NOTES, b"as they were"))

    with pytest.raises(DiskFull):
        _ask(relay, lambda cell: cell.put(NOTES, _more_than_fits(relay, excess)))

    assert _ask(relay, lambda cell: cell.get(NOTES, 99)) == b"as they were"
    assert [path.name for path in (relay.root / "workspace").iterdir()] == ["notes.md"]


@too_large_by
def test_files_that_do_not_fit_are_not_taken_for_restored(relay: Relay, excess: int) -> None:
    given = [CellFile(NOTES, _more_than_fits(relay, excess))]
    with pytest.raises(DiskFull):
        _ask(relay, lambda cell: cell.put_state(given))


def _more_than_fits(relay: Relay, excess: int) -> bytes:
    return bytes(shutil.disk_usage(relay.root).free + excess)


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
