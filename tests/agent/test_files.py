"""What a cell claims of its files is checked before memory is taken for it."""

import asyncio
import json
import tracemalloc
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from agent.files import CellFiles, Changed, DiskFull, FilesFailed
from agent.state import DATABASE, StateWriter, TooLarge

MOST_BYTES = 24 * 1024 * 1024
NOTE = "workspace/note.md"
Lines = list[bytes]


def frame(**fields: Any) -> bytes:
    usual = {"path": NOTE, "size": 4, "mtime": 0, "first": 0, "bytes": 4}
    return json.dumps({**usual, **fields}).encode() + b"\n"


def claims(count: int, size: int) -> Lines:
    """Files that are said to be so large, with a page of each."""
    return [
        frame(path=f"workspace/{number}", size=size, bytes=4096) + bytes(4096)
        for number in range(count)
    ]


HOSTILE: dict[str, Lines] = {
    "ten files of a hundred gigabytes": claims(10, 10**11),
    "files that are too large together": claims(10, 10**9),
    "more files than are kept": [frame(path=f"workspace/{n}") + b"data" for n in range(20_001)],
    "the same file without end": [frame(path=DATABASE, same=True)] * 30_000,
    "a size below nothing": [frame(size=-1)],
    "a size that is no number": [frame(size="4")],
    "a size that is true": [frame(size=True)],
    "a part beyond all parts": [frame(size=10**9, bytes=10**9)],
    "a part beyond the end": [frame(size=4, first=10**6)],
    "a size that changes": [
        frame(size=8192, bytes=4096) + bytes(4096),
        frame(size=10**8, first=1, bytes=4096) + bytes(4096),
    ],
    "a time before all times": [frame(mtime=-(10**18))],
    "a name of bytes without end": [frame(path="workspace/" + "n" * 60_000)],
    "a part of a name that is too long": [frame(path="workspace/" + "\N{GRINNING FACE}" * 64)],
    "levels without end": [frame(path="workspace/" + "d/" * 500 + "d")],
    "a name outside": [frame(path="openclaw.json")],
    "a name that is no text": [frame(path=["workspace"])],
    "a line without end": [b'{"path":"' + b"n" * 10**6],
    "lists in lists": [b"[" * 60_000 + b"\n"],
    "a list": [b"[]\n"],
    "no JSON": [b"hello\n"],
    "a number without end": [b'{"generation":' + b"9" * 60_000 + b"}\n"],
    "a generation that is none": [b'{"generation":"x"}\n'],
    "nothing": [],
}


@pytest.mark.parametrize("name", HOSTILE)
def test_what_a_cell_claims_is_refused(tmp_path: Path, name: str) -> None:
    async def read(cell: CellFiles) -> None:
        writer = StateWriter({}, {})
        async for change in cell.state(0):
            if isinstance(change, Changed):
                writer.add(change)
        writer.finish()

    tracemalloc.start()
    with pytest.raises((FilesFailed, TooLarge)) as failure:
        _with_cell(tmp_path, _lines(HOSTILE[name]), read)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < MOST_BYTES
    # People give these names, so they stand in no log.
    assert "note" not in str(failure.value)
    assert "workspace" not in str(failure.value)


@pytest.mark.parametrize("claim", [{"size": -1}, {"size": 10**11}, {"mtime": -1}, {"first": 1.5}])
def test_what_is_claimed_is_checked_as_it_comes(tmp_path: Path, claim: dict[str, Any]) -> None:
    async def read(cell: CellFiles) -> None:
        async for _ in cell.state(0):
            raise AssertionError

    with pytest.raises(FilesFailed, match="impossible"):
        _with_cell(tmp_path, _lines([frame(**claim) + b"data"]), read)


def test_of_a_file_no_more_is_read_than_was_asked_for(tmp_path: Path) -> None:
    async def read(cell: CellFiles) -> None:
        assert await cell.get(NOTE, 1000) == b"x" * 1000

    tracemalloc.start()
    _with_cell(tmp_path, _lines([b"x" * 65536] * 2000), read)
    assert tracemalloc.get_traced_memory()[1] < MOST_BYTES
    tracemalloc.stop()


@pytest.mark.parametrize("said", [b"x" * 10**7, b'{"generation":' * 1000, b"[" * 1023, b"{}"])
def test_a_restore_believes_no_odd_answer(tmp_path: Path, said: bytes) -> None:
    async def restore(cell: CellFiles) -> None:
        with pytest.raises(FilesFailed):
            await cell.put_state([])

    _with_cell(tmp_path, _lines([said]), restore)


@pytest.mark.parametrize(
    ("status", "said", "failure", "told"),
    [
        (500, "ENAMETOOLONG", FilesFailed, "HTTP 500: ENAMETOOLONG"),
        (500, "no such file: 'my secret diary.md'", FilesFailed, "HTTP 500: no reason"),
        (507, "ENOSPC", DiskFull, "HTTP 507: ENOSPC"),
    ],
)
def test_of_an_error_only_its_name_is_told(
    tmp_path: Path, status: int, said: str, failure: type[FilesFailed], told: str
) -> None:
    async def answer(request: web.Request) -> web.Response:
        return web.Response(status=status, text=said)

    async def put(cell: CellFiles) -> None:
        with pytest.raises(failure) as raised:
            await cell.put(NOTE, b"x")
        assert str(raised.value) == told

    _with_cell(tmp_path, answer, put)


def _lines(lines: Lines) -> Callable[[web.Request], Any]:
    async def answer(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        for line in lines:
            await response.write(line)
        return response

    return answer


def _with_cell(folder: Path, answer: Any, use: Callable[[CellFiles], Any]) -> None:
    """Use a cell whose relay answers everything alike."""

    async def scenario() -> None:
        async with _served(folder / "files", answer) as path, asyncio.timeout(30):
            cell = CellFiles(path)
            try:
                await use(cell)
            finally:
                await cell.close()

    asyncio.run(scenario())


@asynccontextmanager
async def _served(path: Path, answer: Any) -> AsyncGenerator[str]:
    application = web.Application()
    application.router.add_route("*", "/{path:.*}", answer)
    runner = web.AppRunner(application, shutdown_timeout=0.1)
    await runner.setup()
    await web.UnixSite(runner, str(path)).start()
    try:
        yield str(path)
    finally:
        await runner.cleanup()
