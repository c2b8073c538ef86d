"""One save: compares what a cell has with the version it came from, and packs what changed."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from agent.files import Changed, FilesFailed
from agent.state.layout import (
    MAX_BYTES,
    MOST_FILES,
    UPLOADS,
    UPLOADS_KEPT_BYTES,
    WORKSPACE,
    may_be_kept,
)
from agent.state.pack import Index, PackedFile, PackWriter
from agent.state.tree import (
    HASH_BYTES,
    PAGE_BYTES,
    Run,
    Tree,
    TreeFile,
    changed_runs,
    page_hashes,
    pages_of,
    size_of,
    tree_hash,
)
from agent.turn import SavedState
from agent.workspace import KEPT_FILES

STANDING = {f"{WORKSPACE}/{name}": name for name in KEPT_FILES}
UNKNOWN = bytes(HASH_BYTES)
# With the uploads that will be left out.
MOST_CLAIMED_BYTES = 2 * MAX_BYTES


class TooLarge(Exception):
    """A person's files are more than can be kept."""


@dataclass(frozen=True)
class Known:
    """What we know of a cell's files as of its newest saved version.

    `generation` is the relay's name for the moment at which its files were these. `standing` are
    the files that each turn looks at, by their names in the workspace.
    """

    state: SavedState
    tree: Tree
    generation: int
    standing: Mapping[str, bytes]


# A cell of nobody, or of somebody who is new.
BLANK = Known(SavedState(0, (), 0), {}, 0, {})


@dataclass
class _Seen:
    """A file as its pages come in over what was known of it; `end` is after the last of them."""

    size: int
    mtime: int
    hashes: bytearray
    runs: list[Run] = field(default_factory=list[Run])
    end: int = 0


class StateWriter:
    """Takes the files of a cell one after the other; `finish` returns the new tree and its pack."""

    def __init__(
        self, known: Tree, standing: Mapping[str, bytes], most_bytes: int = MAX_BYTES
    ) -> None:
        self._most_bytes = most_bytes
        self.standing: dict[str, bytes] = {}
        self._known = known
        self._standing_before = standing
        self._tree: dict[str, TreeFile] = {}
        self._seen: dict[str, _Seen] = {}
        self._latest = ""
        # How large the cell says that its files are.
        self._claimed_bytes = 0
        self._packer = PackWriter()

    def add(self, change: Changed) -> None:
        """Take a file that is as it was, or some pages of one; the pages of a file in their order.

        Raises FilesFailed for anything that would not add up to whole files, and TooLarge as soon
        as the cell claims more than can be kept. Errors name no file: people give these names.
        """
        if not may_be_kept(change.path):
            raise FilesFailed("a file has no place in a saved state")
        if change.path != self._latest:
            self._claim(change)
        if change.data is None:
            self._add_unchanged(change.path)
            return
        seen = self._seen_of(change)
        fresh = page_hashes(change.data)
        end = change.first + len(fresh) // HASH_BYTES
        if change.first < seen.end or change.size != seen.size or not _fills_pages(change, end):
            raise FilesFailed("the pages of a file are out of order")
        at = slice(change.first * HASH_BYTES, end * HASH_BYTES)
        old, seen.hashes[at], seen.end = bytes(seen.hashes[at]), fresh, end
        view = memoryview(change.data)
        for run in changed_runs(old, fresh):
            self._packer.add(view[run.first * PAGE_BYTES : (run.first + run.count) * PAGE_BYTES])
            seen.runs.append(Run(change.first + run.first, run.count))
        if change.path in STANDING and len(change.data) == change.size:
            self.standing[STANDING[change.path]] = change.data

    def finish(self) -> tuple[Tree, bytes | None]:
        """Return the new tree, and the pack that leads to it; None if nothing changed.

        Raises FilesFailed when pages are missing, and TooLarge.
        """
        for path, seen in self._seen.items():
            self._tree[path] = _whole(seen)
        left_out = _old_uploads(self._tree)
        tree = {path: file for path, file in self._tree.items() if path not in left_out}
        if size_of(tree) > self._most_bytes:
            raise TooLarge
        if tree == self._known:
            return tree, None
        files = {
            path: PackedFile(seen.size, seen.mtime, tuple(seen.runs))
            for path, seen in self._seen.items()
        }
        removed = tuple(sorted(path for path in {*self._known, *files} if path not in tree))
        return tree, self._packer.finish(Index(files, removed, tree_hash(tree)))

    def _claim(self, change: Changed) -> None:
        """Count a further file, before memory is taken for it."""
        if change.path in self._seen or change.path in self._tree:
            raise FilesFailed("a file came twice")
        known = self._known.get(change.path) if change.data is None else None
        self._claimed_bytes += known.size if known else change.size
        is_many = len(self._seen) + len(self._tree) >= MOST_FILES
        if is_many or self._claimed_bytes > MOST_CLAIMED_BYTES:
            raise TooLarge

    def _add_unchanged(self, path: str) -> None:
        self._latest = ""
        if path in self._known:
            self._tree[path] = self._known[path]
        elif not path.startswith(f"{UPLOADS}/"):
            # An upload that was left out is nothing new to the cell either; all else is.
            raise FilesFailed("a file that should be as it was is not known")
        if (name := STANDING.get(path)) and name in self._standing_before:
            self.standing[name] = self._standing_before[name]

    def _seen_of(self, change: Changed) -> _Seen:
        if change.path == self._latest:
            return self._seen[change.path]
        hashes = _still_known(self._known.get(change.path), change.size)
        self._latest = change.path
        self._seen[change.path] = _Seen(change.size, change.mtime, hashes)
        return self._seen[change.path]


def _fills_pages(change: Changed, end: int) -> bool:
    """Only the last page of a file may be short."""
    start, length = change.first * PAGE_BYTES, len(change.data or b"")
    return start + length == min(end * PAGE_BYTES, change.size)


def _still_known(known: TreeFile | None, size: int) -> bytearray:
    """Return the hashes of the pages that a file of `size` bytes has in common with the known."""
    old = known.hashes if known else b""
    if known is not None and known.size != size:
        old = old[: min(known.size, size) // PAGE_BYTES * HASH_BYTES]
    return bytearray(old.ljust(pages_of(size) * HASH_BYTES, b"\0"))


def _whole(seen: _Seen) -> TreeFile:
    hashes = bytes(seen.hashes)
    if any(hashes[at : at + HASH_BYTES] == UNKNOWN for at in range(0, len(hashes), HASH_BYTES)):
        raise FilesFailed("pages of a file are missing")
    return TreeFile(seen.size, seen.mtime, hashes)


def _old_uploads(tree: Tree) -> set[str]:
    """List the uploads to leave out so that the newest ones fit into what is kept of them."""
    uploads = [path for path in tree if path.startswith(f"{UPLOADS}/")]
    left_out: set[str] = set()
    size = 0
    for path in sorted(uploads, key=lambda path: tree[path].mtime, reverse=True):
        size += tree[path].size
        if size > UPLOADS_KEPT_BYTES:
            left_out.add(path)
    return left_out
