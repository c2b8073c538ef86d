"""The files of a live cell, read and written by the relay inside of it with the cell's rights."""

import json
from collections.abc import AsyncGenerator, Iterable
from dataclasses import dataclass, field
from typing import Any, cast
from urllib.parse import quote
from uuid import UUID

import aiohttp

HOST = "http://cell"
LINE_BYTES = 64 * 1024
# How much of a file is read or written at a time; whole pages of a state.
PART_BYTES = 4 * 1024 * 1024


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

    async def get(self, path: str) -> bytes | None:
        """Return the bytes of one file, or None if there is no such file."""
        try:
            async with self._http.get(f"/{quote(path)}") as response:
                if response.status == 404:
                    return None
                await _expect(response, 200)
                return await response.read()
        except (aiohttp.ClientError, TimeoutError) as error:
            raise FilesFailed(str(error)) from error

    async def put_state(self, files: Iterable[CellFile]) -> int:
        """Write a person's files into a blank cell; return the generation that they make."""
        try:
            async with self._http.put("/state", data=_framed(files)) as response:
                await _expect(response, 200)
                return int(json.loads(await response.read())["generation"])
        except (aiohttp.ClientError, TimeoutError, ValueError, KeyError) as error:
            raise FilesFailed(str(error)) from error

    async def forget(self, conversations: Iterable[UUID], uploads: Iterable[str]) -> None:
        """Take conversations out of the database, and uploads whose names begin so.

        The assistant must not be at work, and its files not be read since they were put there.
        """
        wanted = {"conversations": [str(one) for one in conversations], "uploads": [*uploads]}
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
                while head := await response.content.readline():
                    frame = cast(dict[str, Any], json.loads(head))
                    if "generation" in frame:
                        yield Generation(frame["generation"])
                        return
                    yield await _change(frame, response.content)
        except (aiohttp.ClientError, TimeoutError, EOFError, ValueError, KeyError) as error:
            raise FilesFailed(str(error)) from error
        raise FilesFailed("The cell ended while its files were read.")

    @property
    def _http(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                HOST,
                connector=aiohttp.UnixConnector(self.socket_path),
                timeout=aiohttp.ClientTimeout(total=120),
                read_bufsize=LINE_BYTES,
            )
        return self._session


async def _expect(response: aiohttp.ClientResponse, status: int) -> None:
    if response.status == 507:
        raise DiskFull(await response.text())
    if response.status != status:
        raise FilesFailed(f"HTTP {response.status}: {await response.text()}")


async def _framed(files: Iterable[CellFile]) -> AsyncGenerator[bytes]:
    for file in files:
        head = {"path": file.path, "size": len(file.data), "mtime": file.mtime}
        yield json.dumps(head).encode() + b"\n"
        for start in range(0, len(file.data), PART_BYTES):
            yield file.data[start : start + PART_BYTES]


async def _change(frame: dict[str, Any], content: aiohttp.StreamReader) -> Changed:
    path = str(frame["path"])
    if frame.get("same"):
        return Changed(path)
    if frame["bytes"] > PART_BYTES:
        raise ValueError("The relay sends more at once than was agreed.")
    data = await content.readexactly(frame["bytes"])
    return Changed(path, frame["size"], frame["mtime"], frame["first"], data)
