"""What a version of a person's files consists of, page by page, without the pages themselves."""

import hashlib
from collections.abc import Generator, Iterable, Mapping
from dataclasses import dataclass

# SQLite's own page: one changed row costs one or two of them.
PAGE_BYTES = 4096
# The first half of a SHA-256, for which processors have instructions: with OpenSSL it is faster
# here than BLAKE2b, and it needs no further library as BLAKE3 would.
HASH_BYTES = 16


@dataclass(frozen=True)
class TreeFile:
    """One file: its size in bytes, seconds since 1970, and the hashes of its pages in a row."""

    size: int
    mtime: int
    hashes: bytes


Tree = Mapping[str, TreeFile]


@dataclass(frozen=True)
class Run:
    """Some pages of a file that follow each other."""

    first: int
    count: int


def pages_of(size: int) -> int:
    """Return how many pages `size` bytes take; the last one may be short."""
    return -(-size // PAGE_BYTES)


def page_hashes(data: bytes | memoryview) -> bytes:
    """Return the hashes of the pages of `data`, in a row."""
    view = memoryview(data)
    return b"".join(
        hashlib.sha256(view[at : at + PAGE_BYTES]).digest()[:HASH_BYTES]
        for at in range(0, len(view), PAGE_BYTES)
    )


def changed_runs(old: bytes, new: bytes) -> list[Run]:
    """List the pages of `new` whose hash is another one in `old`, or is missing there."""
    if old == new:
        return []
    changed = (
        at // HASH_BYTES
        for at in range(0, len(new), HASH_BYTES)
        if new[at : at + HASH_BYTES] != old[at : at + HASH_BYTES]
    )
    return list(_joined(changed))


def _joined(pages: Iterable[int]) -> Generator[Run]:
    first, end = 0, 0
    for page in pages:
        if page != end or end == first:
            if end > first:
                yield Run(first, end - first)
            first = page
        end = page + 1
    if end > first:
        yield Run(first, end - first)


def runs_of(pages: Iterable[int]) -> list[Run]:
    """Join page numbers, lowest first, to runs."""
    return list(_joined(pages))


def tree_hash(tree: Tree) -> str:
    """Return the one hash that stands for all files of `tree`, and for every byte in them."""
    whole = hashlib.sha256()
    for path in sorted(tree):
        file = tree[path]
        whole.update(f"{len(path.encode())} {path} {file.size} {file.mtime}\n".encode())
        whole.update(file.hashes)
    return whole.hexdigest()


def size_of(tree: Tree) -> int:
    """Return the bytes of all files together."""
    return sum(file.size for file in tree.values())
