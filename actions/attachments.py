"""Files that come with a message: what they are, by their content, and where they are kept."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from itertools import takewhile
from os import SEEK_END
from pathlib import PurePath
from typing import IO
from uuid import UUID

import structlog
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from gateways import values
from gateways.s3_files import Storage, StorageFailed
from models.base import new_id, utc_now
from models.chat import file_deletions
from models.chat.file_deletions import SETTLED_AFTER
from models.chat.uploads import EmptyFile, FileTooLarge, TooManyFiles, UnreadableFile
from models.database import OUTAGES, NoConnection, after_commit, unit_of_work
from models.errors import Refused
from models.schema.uploads import SentFile
from models.schema.users import User
from settings import Settings, get_settings
from untrusted import uploads
from untrusted.uploads import BadFile, CannotCheck

# So many are tried again at a time.
MOST_LEFT = 500

log = structlog.get_logger()

# Of a text only its name can say more; whatever else it is called, it is read as plain text.
TEXTS = {
    ".csv": "text/csv",
    ".md": "text/markdown",
    ".markdown": "text/markdown",
    ".tsv": "text/tab-separated-values",
}
# What a picture that was remade is called from then on.
ENDINGS = {
    "image/jpeg": (".jpg", ".jpeg"),
    "image/png": (".png",),
    "image/gif": (".gif",),
    "image/webp": (".webp",),
}


class StorageAway(Refused):
    """The storage of files cannot be reached."""

    code = "storage_away"


@dataclass(frozen=True)
class IncomingFile:
    """A file as its channel hands it in: nothing of it has been checked."""

    name: str
    content: IO[bytes]

    def size_bytes(self) -> int:
        """Measure it; it is in memory or in a temporary file by now."""
        size = self.content.seek(0, SEEK_END)
        self.content.seek(0)
        return size


@lru_cache(maxsize=1)
def storage() -> Storage:
    """This process's way to the files."""
    return Storage(get_settings())


def keep(person: User, sent: Sequence[IncomingFile]) -> list[SentFile]:
    """Check the files of a message and put them into storage; refuse them all if one is no good.

    It talks to the network: call it outside of any lock, and `drop` them if the message is refused.
    """
    settings = get_settings()
    if len(sent) > settings.upload_max_files:
        raise TooManyFiles(most=settings.upload_max_files)
    checked = [_check(person, file, settings) for file in sent]
    kept = [_named(person, file) for file in checked]
    expect(file.storage_key for file in kept)
    try:
        for named, file in zip(kept, checked, strict=True):
            storage().put(named.storage_key, file.data, file.media_type)
    except StorageFailed as failure:
        log.warning("upload.failed", error=str(failure))
        drop(file.storage_key for file in kept)
        raise StorageAway from failure
    return kept


def expect(keys: Iterable[str]) -> None:
    """Note, in a transaction of its own, what is about to be put into storage.

    What nobody's row names an hour later is deleted by `drop_left`.
    """
    with unit_of_work() as db:
        file_deletions.note(db, [*keys], utc_now() + SETTLED_AFTER)


def drop_after_commit(db: Session, keys: Sequence[str]) -> None:
    """Delete files from storage once `db` has committed that they are nobody's any more.

    That is noted in the same transaction: whoever ends in between leaves them to `drop_left`.
    """
    if keys:
        file_deletions.note(db, keys, utc_now())
        after_commit(db, lambda: _try_now(keys))


def drop(keys: Iterable[str]) -> None:
    """Delete files from storage that came to be nobody's; what a row names after all stays.

    Those that cannot go now do with `drop_left`.
    """
    left = [*keys]
    if not left:
        return
    try:
        with unit_of_work() as db:
            file_deletions.note(db, left, utc_now())
    except OUTAGES as outage:
        # Whoever put them there has noted them for later.
        log.error("uploads.not_noted", keys=left, error=type(outage).__name__)
    else:
        _try_now(left)


def drop_left(now: datetime) -> None:
    """Delete what could not go from storage when it was to, and what came to be nobody's.

    It ends with the first that cannot go: a sweep does not wait for each of them.
    """
    done = MOST_LEFT
    while done == MOST_LEFT:
        done = _delete_due(now)


def _try_now(keys: Sequence[str]) -> None:
    """Delete files that were noted; whatever fails, the next sweep tries again."""
    try:
        _delete_due(utc_now(), keys)
    except (DBAPIError, NoConnection) as error:
        log.warning("uploads.not_settled", error=type(error).__name__)


def _delete_due(now: datetime, keys: Sequence[str] | None = None) -> int:
    """Delete files that are due, up to the first that cannot go; return how many are settled."""
    with unit_of_work() as db:
        waiting = file_deletions.take_due(db, now, MOST_LEFT, keys)
        owned = file_deletions.owned(db, waiting)
        # Before others may note it again: its owner can delete it at any time.
        file_deletions.settle(db, [*owned])
    gone = [*takewhile(_delete, (key for key in waiting if key not in owned))]
    with unit_of_work() as db:
        file_deletions.settle(db, gone)
    return len(gone) + len(owned)


def _delete(key: str) -> bool:
    try:
        storage().delete(key)
    except StorageFailed as failure:
        log.warning("upload.left_behind", key=key, error=str(failure))
        return False
    return True


@dataclass(frozen=True)
class _Checked:
    name: str
    media_type: str
    data: bytes


def check(person_id: UUID, name: str, data: bytes) -> tuple[str, str, bytes]:
    """Return what a file is called, its media type by what is in it, and what is to be kept of it.

    Refuses, in a sentence, what the assistant could not read. A helper looks into the file, which
    may take seconds.
    """
    if not data:
        raise EmptyFile(name=name)
    try:
        checked = uploads.check(data, owner=person_id)
    except BadFile as bad:
        log.info("upload.refused", why=str(bad), size_bytes=len(data))
        raise UnreadableFile(bad.fault, name=name) from bad
    except CannotCheck as error:
        raise StorageAway from error
    suffix = PurePath(name).suffix.lower()
    if checked.media_type is None:
        return name, TEXTS.get(suffix, "text/plain"), data
    if checked.data is not data and suffix not in ENDINGS.get(checked.media_type, (suffix,)):
        name = f"{PurePath(name).stem}{ENDINGS[checked.media_type][0]}"
    return name, checked.media_type, checked.data


def _named(person: User, file: _Checked) -> SentFile:
    key = f"uploads/{person.id}/{new_id()}"
    return SentFile(file.name, file.media_type, len(file.data), key)


def _check(person: User, file: IncomingFile, settings: Settings) -> _Checked:
    limit = settings.upload_max_bytes
    data = file.content.read(limit + 1)
    name = _clean_name(file.name)
    if len(data) > limit:
        raise FileTooLarge(name=name, most_mb=limit // 1024**2)
    return _Checked(*check(person.id, name, data))


def _clean_name(given: str) -> str:
    """Keep what people see of a name, of which file systems and headers count the bytes."""
    return values.file_name(given, fallback="file")
