"""The files of a live cell, read and written by the relay inside of it with the cell's rights."""

import json
from collections.abc import AsyncGenerator
from dataclasses import dataclass, field
from typing import Any, cast
from urllib.parse import quote

import aiohttp

HOST = "http://cell"
LINE_BYTES = 64 * 1024


class FilesFailed(Exception):
    """The relay of a cell did not do what it was asked for."""


@dataclass(frozen=True)
class CellFile:
    """One file of a person, by its path in the cell; `mtime` is in seconds since 1970."""

    path: str
    data: bytes
    mtime: int = 0


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

    async def state(self) -> AsyncGenerator[CellFile]:
        """Yield all that belongs to the person: a copy of the database, then the workspace."""
        try:
            async with self._http.get("/state") as response:
                await _expect(response, 200)
                while head := await response.content.readline():
                    frame = cast(dict[str, Any], json.loads(head))
                    if frame.get("end"):
                        return
                    data = await response.content.readexactly(frame["size"])
                    yield CellFile(frame["path"], data, frame["mtime"])
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
    if response.status != status:
        raise FilesFailed(f"HTTP {response.status}: {await response.text()}")
