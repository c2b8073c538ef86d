"""Putting packs on top of each other: to restore a version, or to make one pack of many."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from agent.files import CellFile
from agent.state.layout import MAX_BYTES
from agent.state.pack import DamagedState, Index, Pack, PackedFile, PackWriter, span
from agent.state.tree import PAGE_BYTES, Tree, TreeFile, page_hashes, pages_of, runs_of, tree_hash


def assemble(packs: Iterable[Pack]) -> tuple[list[CellFile], Tree]:
    """Return the files that `packs`, oldest first, make up, and their tree.

    DamagedState unless the last pack's own hash of the whole is the one that comes out.
    """
    files: dict[str, tuple[int, bytearray]] = {}
    expected = tree_hash({})
    for pack in packs:
        expected = pack.index.tree
        _lay_over(files, pack)
        for path in pack.index.removed:
            files.pop(path, None)
    whole = [CellFile(path, bytes(data), mtime) for path, (mtime, data) in files.items()]
    tree = {
        file.path: TreeFile(len(file.data), file.mtime, page_hashes(file.data)) for file in whole
    }
    if tree_hash(tree) != expected:
        raise DamagedState("its packs do not make up what was saved")
    return whole, tree


def _lay_over(files: dict[str, tuple[int, bytearray]], pack: Pack) -> None:
    sizes = {path: len(data) for path, (_, data) in files.items()}
    sizes |= {path: file.size for path, file in pack.index.files.items()}
    if sum(sizes.values()) > MAX_BYTES:
        raise DamagedState("it unpacks to more than can be kept")
    at, pages = 0, memoryview(pack.pages)
    for path, file in pack.index.files.items():
        _, data = files.get(path, (0, bytearray()))
        del data[file.size :]
        data.extend(bytes(file.size - len(data)))
        for run in file.runs:
            start, length = span(run, file.size)
            data[start : start + length] = pages[at : at + length]
            at += length
        files[path] = (file.mtime, data)


@dataclass
class _Merged:
    """The newest page of each number, of one file."""

    size: int = 0
    mtime: int = 0
    pages: dict[int, memoryview] = field(default_factory=dict[int, memoryview])


def merge(packs: Sequence[Pack], *, is_base: bool) -> bytes:
    """Return one pack that does what `packs`, oldest first, do one after the other.

    A base has nothing below it, so it need not name what went.
    """
    files: dict[str, _Merged] = {}
    removed: set[str] = set()
    for pack in packs:
        at, pages = 0, memoryview(pack.pages)
        for path, file in pack.index.files.items():
            removed.discard(path)
            at = _take(files.setdefault(path, _Merged()), file, pages, at)
        for path in pack.index.removed:
            files.pop(path, None)
            removed.add(path)
    return _repacked(files, () if is_base else tuple(sorted(removed)), packs[-1].index.tree)


def _take(merged: _Merged, file: PackedFile, pages: memoryview, at: int) -> int:
    """Note the pages of `file` from `at` on; return where the next file's begin."""
    if pages_of(file.size) < pages_of(merged.size):
        kept = pages_of(file.size)
        merged.pages = {page: data for page, data in merged.pages.items() if page < kept}
    merged.size, merged.mtime = file.size, file.mtime
    for run in file.runs:
        _, length = span(run, file.size)
        for offset in range(0, length, PAGE_BYTES):
            page = run.first + offset // PAGE_BYTES
            merged.pages[page] = pages[at + offset : at + min(length, offset + PAGE_BYTES)]
        at += length
    return at


def _repacked(files: dict[str, _Merged], removed: tuple[str, ...], tree: str) -> bytes:
    writer = PackWriter()
    index: dict[str, PackedFile] = {}
    for path, merged in files.items():
        numbers = sorted(merged.pages)
        for number in numbers:
            writer.add(merged.pages[number])
        index[path] = PackedFile(merged.size, merged.mtime, tuple(runs_of(numbers)))
    return writer.finish(Index(index, removed, tree))
