"""Archives that people bring: what of one is theirs, after all that could be wrong with it.

Nothing is unpacked to a disk. What is not wanted is never read; what is, only up to its bounds.
"""

import io
import json
import re
import stat
import zipfile
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal, cast

MB = 1024 * 1024
MOST_ENTRIES = 5_000
MOST_CONVERSATIONS = 500
MOST_MESSAGES = 20_000
MOST_TEXT_CHARS = 200_000
MOST_TITLE_CHARS = 80
MOST_FILES = 1_000
MOST_ENTRY_BYTES = 10 * MB
# Of all that is wanted, unpacked.
MOST_BYTES = 48 * MB
# What is smaller packed than this is made to be large.
MOST_RATIO = 200
SMALL_BYTES = MB
MOST_LEVELS = 20
NAME_BYTES = 200
# Controls, and what turns the direction of a name so that it reads as another one. Signs that join
# letters and pictures are part of good names.
ODD_SIGNS = re.compile(
    "[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]"
)
FOLDERS = ("conversations/", "workspace/")
# Some programs put the folder around what they pack.
ROOT = re.compile(r"\A([^/]+)/(?:openclaw\.json|README\.txt|workspace/.*|conversations/.*)\Z")
# What a Mac puts beside everything.
OF_A_MAC = "__MACOSX/"
ROLES = ("user", "assistant")
UNKEEPABLE = re.compile("[\x00\ud800-\udfff]")
PACKINGS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)

Fault = Literal["broken", "too_large", "encrypted", "odd_names", "nothing"]


class BadArchive(Exception):
    """An archive of which nothing is taken; `fault` says why."""

    def __init__(self, fault: Fault) -> None:
        super().__init__(fault)
        self.fault: Fault = fault


@dataclass
class Contents:
    """What is taken of an archive: conversations as JSON has them, and files by their paths."""

    conversations: list[list[Any]] = field(default_factory=list[list[Any]])
    files: list[tuple[str, bytes]] = field(default_factory=list[tuple[str, bytes]])


def read(data: bytes) -> Contents:
    """Return what is wanted of an archive. Raises BadArchive, and then nothing of it is good."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            return _read(archive)
    except BadArchive:
        raise
    except MemoryError as error:
        raise BadArchive("too_large") from error
    # Its parser lets errors of all kinds through when an archive is damaged.
    except Exception as error:
        raise BadArchive("broken") from error


def _read(archive: zipfile.ZipFile) -> Contents:
    contents = Contents()
    room, messages = MOST_BYTES, 0
    for name, entry in _wanted(archive.infolist()):
        read = _unpacked(archive, entry, room)
        room -= len(read)
        if name.startswith("workspace/"):
            contents.files.append((name.removeprefix("workspace/"), read))
        elif name.endswith(".json"):
            conversation = _conversation(read)
            messages += len(conversation[1])
            contents.conversations.append(conversation)
    if messages > MOST_MESSAGES or len(contents.conversations) > MOST_CONVERSATIONS:
        raise BadArchive("too_large")
    if len(contents.files) > MOST_FILES:
        raise BadArchive("too_large")
    if not contents.files and not contents.conversations:
        raise BadArchive("nothing")
    return contents


def _wanted(entries: list[zipfile.ZipInfo]) -> list[tuple[str, zipfile.ZipInfo]]:
    """List what is wanted, after every entry of that was looked at; the others are never read."""
    if len(entries) > MOST_ENTRIES:
        raise BadArchive("too_large")
    files = [entry for entry in entries if not entry.is_dir()]
    files = [entry for entry in files if not entry.filename.startswith(OF_A_MAC)]
    root = _root([entry.filename for entry in files])
    named = [(entry.filename.removeprefix(root), entry) for entry in files]
    wanted = [(name, entry) for name, entry in named if _is_wanted(name)]
    for _, entry in wanted:
        _check(entry)
    if len({name.casefold() for name, _ in wanted}) < len(wanted):
        raise BadArchive("odd_names")
    if sum(entry.file_size for _, entry in wanted) > MOST_BYTES:
        raise BadArchive("too_large")
    return wanted


def _is_wanted(name: str) -> bool:
    """Tell whether an entry is for us, or would be for a program that is less strict with names."""
    plain = name.replace("\\", "/").lstrip("/")
    # A conversation stands there twice: once for programs, and once for people.
    return plain.startswith(FOLDERS) and not (
        name.startswith("conversations/") and name.endswith(".md")
    )


def _root(names: list[str]) -> str:
    """Return the one folder that all is in, with its slash; nothing where there is none."""
    found = ROOT.match(names[0]) if names else None
    root = f"{found[1]}/" if found else ""
    is_around = root not in FOLDERS and all(name.startswith(root) for name in names)
    return root if is_around else ""


def _check(entry: zipfile.ZipInfo) -> None:
    if entry.flag_bits & 0x1:
        raise BadArchive("encrypted")
    if entry.compress_type not in PACKINGS:
        raise BadArchive("broken")
    kind = stat.S_IFMT(entry.external_attr >> 16)
    if kind not in (0, stat.S_IFREG) or not _is_plain(entry.filename):
        raise BadArchive("odd_names")
    is_blown_up = entry.file_size > max(MOST_RATIO * entry.compress_size, SMALL_BYTES)
    if is_blown_up:
        raise BadArchive("too_large")


def _is_plain(name: str) -> bool:
    parts = name.split("/")
    if len(parts) > MOST_LEVELS or ODD_SIGNS.search(name) or "\\" in name:
        return False
    if any(part in ("", ".", "..") for part in parts):
        return False
    return all(len(part.encode()) <= NAME_BYTES for part in parts)


def _unpacked(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, room: int) -> bytes:
    most = min(MOST_ENTRY_BYTES, room)
    if entry.file_size > most:
        raise BadArchive("too_large")
    with archive.open(entry) as file:
        # Whatever was said of its size.
        read = file.read(most + 1)
    if len(read) > most:
        raise BadArchive("too_large")
    return read


def _conversation(document: bytes) -> list[Any]:
    """Return a title and messages, each a role, a text and a time in seconds since 1970."""
    whole: object = json.loads(document)
    if not isinstance(whole, dict):
        raise BadArchive("broken")
    given = cast(dict[str, Any], whole)
    messages, title = given.get("messages"), given.get("title")
    if not isinstance(messages, list) or not isinstance(title, str):
        raise BadArchive("broken")
    said = [_message(one) for one in cast(list[object], messages)]
    return [_kept(" ".join(title.split())[:MOST_TITLE_CHARS]), said]


def _message(given: object) -> list[Any]:
    if not isinstance(given, dict):
        raise BadArchive("broken")
    one = cast(dict[str, Any], given)
    role, text, at = one.get("role"), one.get("text"), one.get("at")
    if role not in ROLES or not isinstance(text, str) or not isinstance(at, str):
        raise BadArchive("broken")
    if len(text) > MOST_TEXT_CHARS:
        raise BadArchive("too_large")
    moment = datetime.fromisoformat(at)
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return [role, _kept(text), int(aware.timestamp())]


def _kept(words: str) -> str:
    return UNKEEPABLE.sub("", words)
