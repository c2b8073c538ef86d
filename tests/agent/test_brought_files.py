"""What a person brings goes where nothing stands, and no turn fails of it."""

import asyncio
from typing import cast

import pytest

from agent.brought_files import place_brought
from agent.files import CellFiles, DiskFull, FilesFailed
from agent.turn import BroughtFile


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


def _place(files: Files, **brought: bytes) -> None:
    given = [BroughtFile(f"{name}.md", data) for name, data in brought.items()]
    asyncio.run(place_brought(cast(CellFiles, files), given))


def test_nothing_is_written_over() -> None:
    files = Files(MEMORY=b"", notes=b"mine")
    _place(files, MEMORY=b"theirs", notes=b"theirs", plan=b"theirs")
    assert files.standing == {
        "workspace/MEMORY.md": b"",
        "workspace/memory/brought-MEMORY.md": b"theirs",
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
