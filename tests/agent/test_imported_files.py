"""What a person brings goes where nothing stands, and no turn fails of it."""

import asyncio
from typing import cast

import pytest

from agent.files import CellFiles, DiskFull, FilesFailed
from agent.imported_files import place_imported
from agent.turn import FileToPlace


class Files:
    """A cell's files, in memory."""

    def __init__(self, **standing: bytes) -> None:
        self.standing = {f"workspace/{name}.md": data for name, data in standing.items()}
        self.failure: Exception | None = None

    async def get(self, path: str, most_bytes: int) -> bytes | None:
        found = self.standing.get(path)
        return None if found is None else found[:most_bytes]

    async def put(self, path: str, data: bytes) -> None:
        if self.failure is not None and "notes" in path:
            raise self.failure
        self.standing[path] = data


def _place(files: Files, **imported: bytes) -> None:
    given = [FileToPlace(f"{name}.md", data) for name, data in imported.items()]
    asyncio.run(place_imported(cast(CellFiles, files), given))


def test_nothing_is_written_over() -> None:
    files = Files(USER=b"", notes=b"mine")
    _place(files, USER=b"theirs", notes=b"theirs", plan=b"theirs")
    assert files.standing == {
        "workspace/USER.md": b"",
        "workspace/memory/imported-USER.md": b"theirs",
        "workspace/notes.md": b"mine",
        "workspace/plan.md": b"theirs",
    }


def test_one_that_cannot_be_written_stops_no_other() -> None:
    files = Files()
    files.failure = FilesFailed("HTTP 500: EISDIR")
    _place(files, notes=b"a", plan=b"b")
    assert files.standing == {"workspace/plan.md": b"b"}


def test_a_full_disk_is_told() -> None:
    files = Files()
    files.failure = DiskFull("HTTP 507: ENOSPC")
    with pytest.raises(DiskFull):
        _place(files, notes=b"a")
