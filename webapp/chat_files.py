"""Files that come with a message: what they are, by their content, and where they are kept."""

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache
from pathlib import PurePath

import structlog
from werkzeug.datastructures import FileStorage

from gateways.s3_files import Storage, StorageFailed
from models.base import new_id
from models.errors import Refused
from models.uploads import FileRefused, SentFile
from models.users import User
from settings import Settings, get_settings

log = structlog.get_logger()

NAME_MAX_LENGTH = 120
IMAGES = (
    ("image/png", re.compile(rb"\x89PNG\r\n\x1a\n")),
    ("image/jpeg", re.compile(rb"\xff\xd8\xff")),
    ("image/gif", re.compile(rb"GIF8[79]a")),
    ("image/webp", re.compile(rb"RIFF.{4}WEBP", re.DOTALL)),
)
# Of a text only its name can say more; whatever else it is called, it is read as plain text.
TEXTS = {
    ".csv": "text/csv",
    ".md": "text/markdown",
    ".markdown": "text/markdown",
    ".tsv": "text/tab-separated-values",
}
CONTROLS = re.compile(r"[\x00-\x08\x0e-\x1a\x1c-\x1f]")


class StorageAway(Refused):
    """Your files cannot be taken in right now. Please try again in a moment."""


@lru_cache(maxsize=1)
def storage() -> Storage:
    """This process's way to the files."""
    return Storage(get_settings())


def keep(person: User, sent: Sequence[FileStorage]) -> list[SentFile]:
    """Check the files of a form and put them into storage; refuse them all if one is no good.

    It talks to the network: call it outside of any lock, and `drop` them if the message is refused.
    """
    chosen = [file for file in sent if file.filename]
    settings = get_settings()
    if len(chosen) > settings.upload_max_files:
        raise FileRefused(f"Please send at most {settings.upload_max_files} files at once.")
    checked = [(_clean_name(file.filename or ""), _read(file, settings)) for file in chosen]
    kept: list[SentFile] = []
    try:
        for name, data in checked:
            kept.append(_put(person, name, data))
    except StorageFailed as failure:
        log.warning("upload.failed", error=str(failure))
        drop(file.storage_key for file in kept)
        raise StorageAway from failure
    return kept


def drop(keys: Iterable[str]) -> None:
    """Delete files from storage; one that cannot be deleted now is left, and logged."""
    for key in keys:
        try:
            storage().delete(key)
        except StorageFailed as failure:
            log.warning("upload.left_behind", key=key, error=str(failure))


def sniff(name: str, data: bytes) -> str:
    """Return the media type of a file by what is in it; refuse what the assistant cannot read."""
    if not data:
        raise FileRefused(f"“{name}” is empty. Please choose another file.")
    for media_type, signature in IMAGES:
        if signature.match(data):
            return media_type
    if data.startswith(b"%PDF-"):
        return "application/pdf"
    if _is_text(data):
        return TEXTS.get(PurePath(name).suffix.lower(), "text/plain")
    raise FileRefused(
        f"“{name}” cannot be read. Send pictures (PNG, JPEG, GIF, WebP), PDFs or text in UTF-8."
    )


def _put(person: User, name: str, data: bytes) -> SentFile:
    media_type = sniff(name, data)
    key = f"uploads/{person.id}/{new_id()}"
    storage().put(key, data, media_type)
    return SentFile(name, media_type, len(data), key)


def _read(file: FileStorage, settings: Settings) -> bytes:
    limit = settings.upload_max_bytes
    data = file.stream.read(limit + 1)
    name = _clean_name(file.filename or "")
    if len(data) > limit:
        raise FileRefused(f"“{name}” is larger than {limit // 1024**2} MB. Send a smaller one.")
    sniff(name, data)
    return data


def _clean_name(given: str) -> str:
    """Keep what people see of a name: no folders, nothing invisible, and its ending in any case."""
    printable = "".join(letter for letter in given if letter.isprintable())
    name = PurePath(printable).name.strip() or "file"
    if len(name) <= NAME_MAX_LENGTH:
        return name
    ending = PurePath(name).suffix[:16]
    return name[: NAME_MAX_LENGTH - len(ending)] + ending


def _is_text(data: bytes) -> bool:
    try:
        return not CONTROLS.search(data.decode("utf-8"))
    except UnicodeDecodeError:
        return False
