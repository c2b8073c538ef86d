"""One pack: the pages that a save found changed, and an index that says where they belong.

    pages, one zstd frame | index, one zstd frame of JSON | index length, 4 bytes | "SMP1"

The index stands at the end because a pack is written while the files are still being read.
"""

import json
import struct
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, cast

import zstandard

from agent.state.layout import MAX_BYTES, is_in_place
from agent.state.tree import PAGE_BYTES, Run, pages_of

MAGIC = b"SMP1"
FOOTER = struct.Struct("<I4s")
COMPRESSION_LEVEL = 3
# Far more than the index of a state that may be kept.
INDEX_MAX_BYTES = 256 * 1024 * 1024


class DamagedState(Exception):
    """What is stored is not what was saved."""


@dataclass(frozen=True)
class PackedFile:
    """What a pack says of one file: how it is now, and which of its pages are in the pack."""

    size: int
    mtime: int
    runs: tuple[Run, ...]

    @property
    def packed_bytes(self) -> int:
        """How many bytes of the pack's pages are this file's."""
        return sum(span(run, self.size)[1] for run in self.runs)


@dataclass(frozen=True)
class Index:
    """Files that changed, in the order of their pages; files that went; the state after it all."""

    files: Mapping[str, PackedFile]
    removed: tuple[str, ...]
    tree: str


@dataclass(frozen=True)
class Pack:
    """A pack that was read, its pages still to be taken apart."""

    index: Index
    pages: bytes


def span(run: Run, size: int) -> tuple[int, int]:
    """Return where a run begins in a file of `size` bytes, and how many bytes it has there."""
    start = run.first * PAGE_BYTES
    return start, min(size, start + run.count * PAGE_BYTES) - start


class PackWriter:
    """Compresses pages as they come; `finish` adds the index and returns the whole pack."""

    def __init__(self) -> None:
        self._compress = zstandard.ZstdCompressor(level=COMPRESSION_LEVEL).compressobj()
        self._parts: list[bytes] = []

    def add(self, data: bytes | memoryview) -> None:
        """Append pages."""
        if part := self._compress.compress(data):
            self._parts.append(part)

    def finish(self, index: Index) -> bytes:
        """Return the pack. The runs of `index` must be in the order in which pages were added."""
        packed = zstandard.ZstdCompressor(level=COMPRESSION_LEVEL).compress(_written(index))
        footer = FOOTER.pack(len(packed), MAGIC)
        return b"".join([*self._parts, self._compress.flush(), packed, footer])


def read(packed: bytes) -> Pack:
    """Take a pack apart. DamagedState unless all of it is what a PackWriter writes."""
    try:
        length, magic = FOOTER.unpack(packed[-FOOTER.size :])
        if magic != MAGIC:
            raise DamagedState("it is not a pack")
        start = len(packed) - FOOTER.size - length
        index = _index(json.loads(_unpacked(packed[start : -FOOTER.size], INDEX_MAX_BYTES)))
        expected = sum(file.packed_bytes for file in index.files.values())
        if expected > MAX_BYTES:
            raise DamagedState("it unpacks to more than can be kept")
        pages = _unpacked(packed[:start], expected)
        if len(pages) != expected:
            raise DamagedState("its pages are not those of its index")
    except (zstandard.ZstdError, struct.error, ValueError, TypeError, KeyError) as error:
        raise DamagedState(repr(error)) from error
    return Pack(index, pages)


def _unpacked(packed: bytes, most: int) -> bytes:
    with zstandard.ZstdDecompressor().stream_reader(packed) as reader:
        unpacked = reader.read(most + 1)
    if len(unpacked) > most:
        raise DamagedState("it unpacks to more than it says")
    return unpacked


def _written(index: Index) -> bytes:
    files = [
        [path, file.size, file.mtime, [[run.first, run.count] for run in file.runs]]
        for path, file in index.files.items()
    ]
    whole = {"files": files, "removed": index.removed, "tree": index.tree}
    return json.dumps(whole, separators=(",", ":")).encode()


def _index(whole: dict[str, Any]) -> Index:
    files = {path: _packed_file(size, mtime, runs) for path, size, mtime, runs in whole["files"]}
    removed = cast(list[str], whole["removed"])
    for path in (*files, *removed):
        if not is_in_place(path):
            raise DamagedState(f"{path!r} has no place in a saved state")
    return Index(files, tuple(removed), str(whole["tree"]))


def _packed_file(size: int, mtime: int, pairs: Iterable[tuple[int, int]]) -> PackedFile:
    file = PackedFile(int(size), int(mtime), tuple(Run(*map(int, pair)) for pair in pairs))
    end = 0
    for run in file.runs:
        if run.first < end or run.count < 1 or run.first + run.count > pages_of(file.size):
            raise DamagedState("its runs are out of order")
        end = run.first + run.count
    return file
