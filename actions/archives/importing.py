"""A user brings an archive of what was theirs elsewhere: here, or in an OpenClaw of their own."""

import mimetypes
from contextlib import suppress
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import cast

import structlog
from sqlalchemy.orm import Session

from actions.attachments import IncomingFile, StorageAway, drop, drop_after_commit, expect, storage
from agent.memory import facts
from agent.state import WORKSPACE, may_be_kept
from gateways import values
from gateways.s3_files import StorageFailed
from gateways.values import BadValue
from models import ledger
from models.archives import imported, known
from models.archives.imported import ArchiveTooLarge, BadArchive, SaidElsewhere, StoredImport
from models.base import new_id, utc_now
from models.chat import file_deletions, storage_quotas
from models.memory import imported_notes
from models.memory.notes import MOST_NOTES, WORDS_MAX_LENGTH
from models.schema.chat import Role
from models.schema.users import User
from settings import get_settings
from untrusted import archives
from untrusted.archives import CannotRead, ReadArchive, UnusableArchive

log = structlog.get_logger()

MOST_TITLE_CHARS = 80
MOST_TEXT_BYTES = 1_000_000
# What OpenClaw takes for orders: it is shown to its user, and the assistant never sees it.
INSTRUCTIONS = frozenset(
    f"{name}.MD"
    for name in ("AGENTS", "SOUL", "IDENTITY", "TOOLS", "HEARTBEAT", "BOOTSTRAP", "BOOT")
)
ORDER_FOLDERS = frozenset({"skills", "hooks", "plugins", "extensions"})
# What the assistant is to know becomes notes: its user sees, changes and deletes them one by one.
# The second is where an import of before has put the first.
MEMORY = frozenset({"memory.md", "memory/imported-memory.md"})
# Of each of them no more is looked at; as many notes as a user may have fit in.
MEMORY_BYTES = MOST_NOTES * (4 * WORDS_MAX_LENGTH + 50)
MEMORY_LINES = 10 * MOST_NOTES
ANY = "application/octet-stream"


@dataclass(frozen=True)
class Imported:
    """What was taken of an archive."""

    conversations: int
    files: int
    set_aside: int
    notes: int = 0
    # Notes beyond what a user may have.
    left_out: int = 0


@dataclass(frozen=True)
class _Checked:
    conversations: list[tuple[str, list[SaidElsewhere]]]
    files: list[tuple[str, bytes]]
    facts: list[str]


def import_archive(db: Session, user: User, file: IncomingFile) -> Imported:
    """Take an archive in: all that is good in it and new, or nothing at all.

    Its conversations are there at once, and its memory as notes; its files go into the assistant's
    workspace at the next turn, where nothing of their name stands already. The caller commits. The
    session is committed first, since a helper and storage are waited for. Refuses what is no such
    archive.
    """
    data = _read(file)
    db.commit()
    checked = _checked(_look(user, data))
    kept = _keep(user, checked.files)
    try:
        with db.begin_nested():
            ledger.lock_account(db, user.id)
            _refuse_if_full(db, user, kept)
            talks = _add_conversations(db, user, checked)
            refused = imported.add_files(db, user.id, kept)
            new = [one for one in kept if one.storage_key not in refused]
            _own(db, new)
            noted, left_out = imported_notes.add(db, user.id, checked.facts)
    except BaseException:
        drop(one.storage_key for one in kept)
        raise
    drop_after_commit(db, refused)
    set_aside = sum(one.is_set_aside for one in new)
    files = len(new) - set_aside
    log.info("archive.imported", conversations=talks, files=len(new), notes=noted)
    return Imported(talks, files, set_aside, noted, left_out)


def _refuse_if_full(db: Session, user: User, kept: list[StoredImport]) -> None:
    """Refuse what has no room; what the user has brought before takes none."""
    before = known.paths(db, user.id, [one.path for one in kept])
    more = sum(one.size_bytes for one in kept if one.path not in before)
    storage_quotas.refuse_if_full(db, user.id, more)


def _add_conversations(db: Session, user: User, checked: _Checked) -> int:
    """Add the conversations that the user does not have yet; return how many."""
    brought = checked.conversations
    are_known = known.conversations(db, user.id, [said for _, said in brought])
    new = [one for one, is_known in zip(brought, are_known, strict=True) if not is_known]
    for title, said in new:
        imported.add_conversation(db, user.id, title, said)
    return len(new)


def _read(file: IncomingFile) -> bytes:
    limit = get_settings().import_max_bytes
    data = file.content.read(limit + 1)
    if len(data) > limit:
        raise ArchiveTooLarge(most_mb=limit // 1024**2)
    if not data:
        raise BadArchive("nothing")
    return data


def _look(user: User, data: bytes) -> ReadArchive:
    try:
        return archives.read(data, owner=user.id)
    except UnusableArchive as unusable:
        log.info("archive.refused", why=str(unusable), size_bytes=len(data))
        raise BadArchive(unusable.fault) from unusable
    except CannotRead as busy:
        raise StorageAway from busy


def _checked(found: ReadArchive) -> _Checked:
    """Read what the helper made of it: that is as foreign as the archive was."""
    try:
        talks = [_conversation(title, said) for title, said in found.conversations]
    except (BadValue, ValueError, TypeError) as odd:
        raise BadArchive("broken") from odd
    if not all(may_be_kept(f"{WORKSPACE}/{path}") for path, _ in found.files):
        raise BadArchive("odd_names")
    memory = [data for path, data in found.files if path.lower() in MEMORY]
    files = [(path, data) for path, data in found.files if path.lower() not in MEMORY]
    return _Checked([talk for talk in talks if talk[1]], files, _facts(memory))


def _facts(memory: list[bytes]) -> list[str]:
    """Read what is noted, up to its bounds; what no note may say is passed over."""
    found: list[str] = []
    for data in memory:
        text = data[:MEMORY_BYTES].decode(errors="ignore")
        for words in facts(text, most_lines=MEMORY_LINES):
            with suppress(BadValue):
                found.append(values.line(words, most=WORDS_MAX_LENGTH, least=1))
    return found


def _conversation(title: object, said: object) -> tuple[str, list[SaidElsewhere]]:
    name = values.text(title, most_bytes=4 * MOST_TITLE_CHARS)[:MOST_TITLE_CHARS]
    now = utc_now()
    messages: list[SaidElsewhere] = []
    for role, words, at in cast(list[tuple[object, object, object]], said):
        moment = min(values.moment(at), now)
        messages.append(
            SaidElsewhere(Role(str(role)), values.text(words, most_bytes=MOST_TEXT_BYTES), moment)
        )
    return name, messages


def _keep(user: User, files: list[tuple[str, bytes]]) -> list[StoredImport]:
    kept = [_stored(user, path, data) for path, data in files]
    expect(one.storage_key for one in kept)
    try:
        for one, (_, data) in zip(kept, files, strict=True):
            storage().put(one.storage_key, data)
    except StorageFailed as failure:
        log.warning("archive.not_kept", error=str(failure))
        drop(one.storage_key for one in kept)
        raise StorageAway from failure
    return kept


def _own(db: Session, new: list[StoredImport]) -> None:
    """Refuse files of which some were taken for nobody's, so long did it take to store them."""
    if not file_deletions.claim(db, [one.storage_key for one in new]):
        raise StorageAway


def _stored(user: User, path: str, data: bytes) -> StoredImport:
    name = values.file_name(path, fallback="file")
    guessed = mimetypes.guess_type(name)[0] or ANY
    return StoredImport(
        path=path,
        name=name,
        media_type=ANY if guessed.startswith("image/") else guessed,
        size_bytes=len(data),
        storage_key=f"imports/{user.id}/{new_id()}",
        is_set_aside=changes_the_assistant(path),
    )


def changes_the_assistant(path: str) -> bool:
    """Tell whether OpenClaw would take a file of the workspace for orders."""
    parts = PurePosixPath(path).parts
    is_hidden = any(part.startswith(".") for part in parts)
    is_order = len(parts) == 1 and parts[0].upper() in INSTRUCTIONS
    return is_hidden or is_order or parts[0].lower() in ORDER_FOLDERS
