"""The files of a live cell, read and written by the relay inside of it with the cell's rights."""

import json
import re
from collections.abc import AsyncGenerator, Iterable
from dataclasses import dataclass, field
from typing import Any, cast
from urllib.parse import quote
from uuid import UUID

import aiohttp
from aiohttp.http_exceptions import LineTooLong

HOST = "http://cell"
LINE_BYTES = 64 * 1024
# How much of a file is read or written at a time; whole pages of a state.
PART_BYTES = 4 * 1024 * 1024
PAGE_BYTES = 4096
# What a cell may claim of one file; whether all of them together are too large is for who saves.
MOST_FILE_BYTES = 2 * 1024 * 1024 * 1024
# Pages that changed may come one by one.
MOST_FRAMES = 600_000
LONGEST_PATH = 4096
# An answer in a few words.
SHORT_BYTES = 1024


class FilesFailed(Exception):
    """The relay of a cell did not do what it was asked for."""


class DiskFull(FilesFailed):
    """There is no room for it on the disk that the cell is on."""


@dataclass(frozen=True)
class CellFile:
    """One file of a person, by its path in the cell; `mtime` is in seconds since 1970."""

    path: str
    data: bytes
    mtime: int = 0


@dataclass(frozen=True)
class Changed:
    """Some pages of a file, from page `first` on; `data` is None for a file that is as it was."""

    path: str
    size: int = 0
    mtime: int = 0
    first: int = 0
    data: bytes | None = None


@dataclass(frozen=True)
class Generation:
    """Names the moment of a reading; the next one can be told to leave out what was then so."""

    number: int


@dataclass
class CellFiles:
    """A client of one cell's relay. Every method may raise FilesFailed."""

    socket_path: str
    _session: aiohttp.ClientSession | None = field(default=None, init=False)

    async def close(self) -> None:
        """Drop all connections."""
        if self._session is not None:
            await self._session.close()

    async def put(self, path: str, data: bytes) -> None:
        """Write one file, whole or not at all, and the folders that lead to it."""
        try:
            async with self._http.put(f"/{quote(path)}", data=data) as response:
                await _expect(response, 204)
        except (aiohttp.ClientError, TimeoutError) as error:
            raise FilesFailed(str(error)) from error

    async def get(self, path: str, most_bytes: int) -> bytes | None:
        """Return a file's first bytes, or None: there is none, or it has a second name."""
        try:
            async with self._http.get(f"/{quote(path)}", params={"most": most_bytes}) as response:
                if response.status == 404:
                    return None
                await _expect(response, 200)
                return await _read(response, most_bytes)
        except (aiohttp.ClientError, TimeoutError) as error:
            raise FilesFailed(str(error)) from error

    async def put_state(self, files: Iterable[CellFile]) -> int:
        """Write a person's files into a blank cell; return the generation that they make."""
        try:
            async with self._http.put("/state", data=_framed(files)) as response:
                await _expect(response, 200)
                return _count(_frame(await _read(response, SHORT_BYTES)), "generation")
        except (aiohttp.ClientError, TimeoutError, EOFError, ValueError) as error:
            raise FilesFailed(str(error)) from error

    async def forget(
        self,
        conversations: Iterable[UUID],
        uploads: Iterable[str],
        paths: Iterable[str] = (),
        notes: Iterable[int] | None = None,
    ) -> None:
        """Take conversations out of the database, uploads whose names begin so, and `paths`.

        Of notes that other conversations were told, those with these numbers stay; None leaves all.
        The assistant must not be at work, and its files not be read since they were put there.
        """
        wanted = {
            "conversations": [str(one) for one in conversations],
            "uploads": [*uploads],
            "paths": [*paths],
            "notes": None if notes is None else [*notes],
        }
        try:
            async with self._http.post("/forget", json=wanted) as response:
                await _expect(response, 204)
        except (aiohttp.ClientError, TimeoutError) as error:
            raise FilesFailed(str(error)) from error

    async def state(self, since: int) -> AsyncGenerator[Changed | Generation]:
        """Yield all that belongs to the person, a copy of the database first; at last its name.

        What is as it was in the generation `since` comes without its data, and of the database
        only pages that changed; if the relay does not know that generation any more, all comes.
        """
        try:
            async with self._http.get("/state", params={"since": since}) as response:
                await _expect(response, 200)
                for _ in range(MOST_FRAMES):
                    frame = _frame(await response.content.readline())
                    if "generation" in frame:
                        yield Generation(_count(frame, "generation"))
                        return
                    yield await _change(frame, response.content)
        except LineTooLong:
            # What it says has the line in it.
            raise FilesFailed("a line of the relay's has no end") from None
        except (aiohttp.ClientError, TimeoutError, EOFError, ValueError) as error:
            raise FilesFailed(str(error)) from error
        raise FilesFailed("The cell told of more pieces than any has.")

    @property
    def _http(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                HOST,
                connector=aiohttp.UnixConnector(self.socket_path),
                # What is compressed may be without end; and a cell has nothing to be remembered.
                auto_decompress=False,
                cookie_jar=aiohttp.DummyCookieJar(),
                timeout=aiohttp.ClientTimeout(total=120),
                read_bufsize=LINE_BYTES,
            )
        return self._session


async def _expect(response: aiohttp.ClientResponse, status: int) -> None:
    if response.status == status:
        return
    # The system's name for an error. Of other words somebody's files could be among them.
    said = (await _read(response, SHORT_BYTES)).decode(errors="replace")
    reason = said if re.fullmatch(r"[A-Z_]{1,30}", said) else "no reason"
    failure = DiskFull if response.status == 507 else FilesFailed
    raise failure(f"HTTP {response.status}: {reason}")


async def _read(response: aiohttp.ClientResponse, most_bytes: int) -> bytes:
    """Read an answer, but no more of it than that."""
    read = bytearray()
    while len(read) < most_bytes:
        if not (part := await response.content.read(most_bytes - len(read))):
            break
        read += part
    return bytes(read)


async def _framed(files: Iterable[CellFile]) -> AsyncGenerator[bytes]:
    for file in files:
        head = {"path": file.path, "size": len(file.data), "mtime": file.mtime}
        yield json.dumps(head).encode() + b"\n"
        for start in range(0, len(file.data), PART_BYTES):
            yield file.data[start : start + PART_BYTES]


def _frame(line: bytes) -> dict[str, Any]:
    if not line:
        raise EOFError("the cell ended while its files were read")
    try:
        frame: object = json.loads(line)
    except RecursionError as error:
        raise ValueError("a line of the relay's has no end of levels") from error
    if not isinstance(frame, dict):
        raise ValueError("a line of the relay's is no frame")  # noqa: TRY004  # as bad as no JSON
    return cast(dict[str, Any], frame)


def _count(frame: dict[str, Any], name: str, most: int = 2**53) -> int:
    """Read a number that the cell claims, before anything is made of that size."""
    value: object = frame.get(name)
    if type(value) is not int or not 0 <= value <= most:
        raise ValueError(f"the relay claims an impossible {name}")
    return value


async def _change(frame: dict[str, Any], content: aiohttp.StreamReader) -> Changed:
    path: object = frame.get("path")
    if not isinstance(path, str) or len(path.encode(errors="replace")) > LONGEST_PATH:
        raise ValueError("the relay names no file")
    if frame.get("same") is True:
        return Changed(path)
    size, first = _count(frame, "size", MOST_FILE_BYTES), _count(frame, "first")
    length = _count(frame, "bytes", PART_BYTES)
    if first * PAGE_BYTES + length > size:
        raise ValueError("the relay sends what is beyond the end of a file")
    mtime = _count(frame, "mtime")
    return Changed(path, size, mtime, first, await content.readexactly(length))
