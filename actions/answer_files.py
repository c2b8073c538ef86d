"""What the assistant hands over: looked into by a helper, and kept in storage for its user."""

import mimetypes
from uuid import UUID

import structlog

from actions.attachments import StorageAway, drop, expect, storage
from gateways import values
from gateways.s3_files import StorageFailed
from models.base import new_id
from models.chat.answer_files import THUMBNAIL, StoredFile
from untrusted import uploads
from untrusted.uploads import CannotCheck, Thumbnail

log = structlog.get_logger()

# Of what is no picture its name says what it is; a browser is only ever told to keep it.
ANY = "application/octet-stream"
TITLE_MAX_LENGTH = 120


def keep(user_id: UUID, path: str, data: bytes, *, title: str = "") -> StoredFile:
    """Put a file into storage, with a small picture if it is a picture.

    It talks to the network and waits for a helper: call it outside of any lock, and `discard` it if
    it does not become an answer's. Refuses when the storage is away.
    """
    name = values.file_name(path, fallback="file")
    small = _thumbnail(user_id, data)
    key = f"answers/{user_id}/{new_id()}"
    stored = StoredFile(
        path=path,
        name=name,
        title="" if title == name else title,
        media_type=small.made_of if small else _media_type(name),
        size_bytes=len(data),
        storage_key=key,
        thumbnail_key=f"{key}{THUMBNAIL}" if small else None,
    )
    expect(_keys(stored))
    try:
        storage().put(key, data)
        if small and stored.thumbnail_key:
            storage().put(stored.thumbnail_key, small.data, small.media_type)
    except StorageFailed as failure:
        log.warning("answer_file.not_kept", error=str(failure))
        discard(stored)
        raise StorageAway from failure
    return stored


def discard(stored: StoredFile) -> None:
    """Delete what was put into storage and became no answer's."""
    drop(_keys(stored))


def _keys(stored: StoredFile) -> list[str]:
    return [key for key in (stored.storage_key, stored.thumbnail_key) if key]


def _thumbnail(user_id: UUID, data: bytes) -> Thumbnail | None:
    try:
        return uploads.thumbnail(data, owner=user_id)
    except CannotCheck:
        # It can be kept all the same.
        return None


def _media_type(name: str) -> str:
    guessed = mimetypes.guess_type(name)[0] or ANY
    # What no helper has decoded is no picture, whatever it is called.
    return ANY if guessed.startswith("image/") else guessed
