"""Archives that people bring, read by a helper before anything is kept of them."""

import json
from collections.abc import Hashable
from dataclasses import dataclass
from typing import Any, Literal, cast, get_args

from untrusted import lanes
from untrusted.helper import Failed, Result
from untrusted.kinds import READ_ARCHIVE

ArchiveFault = Literal["broken", "too_large", "too_hard", "encrypted", "odd_names", "nothing"]


class UnusableArchive(Exception):
    """An archive of which nothing is taken; `fault` says why."""

    def __init__(self, fault: ArchiveFault, detail: str = "") -> None:
        super().__init__(f"{fault}: {detail}" if detail else fault)
        self.fault: ArchiveFault = fault


class CannotRead(Exception):
    """No helper had time for the archive; later one may."""


@dataclass(frozen=True)
class ReadArchive:
    """What is in an archive: as foreign as it was.

    A conversation is its title and its messages, each a role, a text and seconds since 1970. A file
    is its path in the workspace, and its bytes.
    """

    conversations: tuple[tuple[object, object], ...]
    files: tuple[tuple[str, bytes], ...]


def read(data: bytes, *, owner: Hashable) -> ReadArchive:
    """Look into an archive. Raises UnusableArchive, or CannotRead when nobody can now."""
    try:
        done = lanes.do(READ_ARCHIVE, data, owner=owner)
    except Failed as failure:
        if failure.why == "busy":
            raise CannotRead from failure
        raise UnusableArchive("too_hard", str(failure)) from failure
    fault = done.note.get("fault")
    if fault is not None:
        known = fault in get_args(ArchiveFault)
        raise UnusableArchive(cast(ArchiveFault, fault) if known else "broken")
    try:
        return _taken_apart(done)
    except (ValueError, TypeError, LookupError, RecursionError) as error:
        raise UnusableArchive("broken", "the helper made no sense of it") from error


def _taken_apart(done: Result) -> ReadArchive:
    head = done.note.get("head_bytes")
    if not isinstance(head, int) or not 0 <= head <= len(done.body):
        raise ValueError("no head")
    manifest: Any = json.loads(done.body[:head])
    conversations = tuple((title, said) for title, said in manifest["conversations"])
    files: list[tuple[str, bytes]] = []
    at = head
    for path, size in manifest["files"]:
        if not isinstance(path, str) or not isinstance(size, int) or size < 0:
            raise ValueError("no file")
        files.append((path, done.body[at : at + size]))
        at += size
    if at != len(done.body):
        raise ValueError("files of other sizes")
    return ReadArchive(conversations, tuple(files))
