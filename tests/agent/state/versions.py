"""Saves without a cell: what a relay would send, made from files that a test has in its hands."""

from collections.abc import Iterable

from agent.files import PART_BYTES, CellFile, Changed
from agent.state import BLANK, StateWriter
from agent.state.tree import PAGE_BYTES, Tree


def changes(files: Iterable[CellFile]) -> list[Changed]:
    """Send every file whole, as a relay does that remembers nothing."""
    return [change for file in files for change in _parts(file)]


def _parts(file: CellFile) -> list[Changed]:
    size, mtime = len(file.data), file.mtime
    starts = range(0, size, PART_BYTES) if size else [0]
    return [
        Changed(file.path, size, mtime, start // PAGE_BYTES, file.data[start : start + PART_BYTES])
        for start in starts
    ]


def packed(known: Tree, files: Iterable[CellFile]) -> tuple[Tree, bytes | None]:
    """Save `files` over what was known; return the new tree and its pack."""
    writer = StateWriter(known, BLANK.standing)
    for change in changes(files):
        writer.add(change)
    return writer.finish()
