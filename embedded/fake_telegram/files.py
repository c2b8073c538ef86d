"""Files that were sent, by the ids under which a bot may fetch them."""

import re
import secrets
from typing import cast

from embedded.fake_telegram.errors import Body, bad_request
from embedded.fake_telegram.given import Upload
from embedded.fake_telegram.store import Store

KIND = "file"
SUFFIX = re.compile(r"\.[A-Za-z0-9]{1,12}$")
# What a bot may fetch, and send as a picture or as anything else.
MOST_FETCHED_BYTES = 20 * 1024 * 1024
MOST_PHOTO_BYTES = 10 * 1024 * 1024
MOST_FILE_BYTES = 50 * 1024 * 1024
WRONG_ID = "wrong file_id or the file is temporarily unavailable"


class Files:
    """All files of the messenger."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def keep(self, upload: Upload, folder: str, size_bytes: int | None = None) -> Body:
        """Keep a file; return its ids and its size, which may be said to be another one."""
        number = self._store.next_number("file")
        file_id = f"AgAC{secrets.token_urlsafe(42)}"
        suffix = SUFFIX.search(upload.name)
        kept = {
            "file_id": file_id,
            "file_unique_id": f"AQAD{secrets.token_urlsafe(9)}",
            "file_size": len(upload.content) if size_bytes is None else size_bytes,
            "file_path": f"{folder}/file_{number}{suffix[0] if suffix else ''}",
            "media_type": upload.media_type,
            "name": upload.name,
        }
        self._store.put(KIND, file_id, kept)
        self._store.put("path", kept["file_path"], file_id)
        self._store.keep_content(file_id, upload.content)
        return {name: kept[name] for name in ("file_id", "file_unique_id", "file_size")}

    def described(self, file_id: str) -> Body | None:
        """Return what is known of a file, None if there is none of this id."""
        return self._store.find(KIND, file_id)

    def copied(self, file_id: str) -> Upload | None:
        """Return a file that was sent before, to be sent again; None if there is none."""
        known, content = self.described(file_id), self._store.content(file_id)
        if known is None or content is None:
            return None
        return Upload(known["name"], known["media_type"], content)

    def fetchable(self, file_id: str) -> Body:
        """Return the File of an id, with its path; refuse unknown ids and what is too big."""
        if not file_id:
            raise bad_request("file_id not specified")
        known = self.described(file_id)
        if known is None:
            raise bad_request(WRONG_ID)
        if known["file_size"] > MOST_FETCHED_BYTES:
            raise bad_request("file is too big")
        names = ("file_id", "file_unique_id", "file_size", "file_path")
        return {name: known[name] for name in names}

    def content_at(self, path: str) -> tuple[bytes, str] | None:
        """Return what the file at a path has in it, and its kind; None if there is none."""
        file_id = cast(str | None, self._store.find("path", path))
        return self.content(file_id) if file_id else None

    def content(self, file_id: str) -> tuple[bytes, str] | None:
        """Return what a file has in it, and its kind; None if there is none of this id."""
        known, content = self.described(file_id), self._store.content(file_id)
        return (content, known["media_type"]) if known and content is not None else None
