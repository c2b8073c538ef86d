"""What a call brings: values by name from the address, a form, or JSON, and files."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

from aiohttp import web

from embedded.fake_telegram.errors import bad_request, too_large

ATTACHED = "attach://"
# The largest file that a bot may send, and the rest of its form.
MOST_BYTES = 50 * 1024 * 1024 + 1024 * 1024


@dataclass(frozen=True)
class Upload:
    """A file that somebody sends."""

    name: str
    media_type: str
    content: bytes


class Given:
    """Values and files by name. Values are text, or JSON where the call was JSON."""

    def __init__(self, values: Mapping[str, Any], uploads: Mapping[str, Upload]) -> None:
        self._values, self._uploads = values, uploads

    def text(self, name: str) -> str:
        """Return a text, empty when there is none."""
        value = self._values.get(name)
        return "" if value is None else str(value)

    def whole(self, name: str, default: int = 0) -> int:
        """Return a whole number, `default` when there is none or it is none."""
        try:
            return int(self.text(name))
        except ValueError:
            return default

    def flag(self, name: str) -> bool:
        return self.text(name).lower() in {"true", "yes", "1"}

    def parsed(self, name: str, words: str) -> Any:
        """Return what is JSON within the call, None when there is none; `words` name it."""
        value = self._values.get(name)
        if not isinstance(value, str):
            return value
        try:
            return json.loads(value) if value else None
        except ValueError as unreadable:
            raise bad_request(f"can't parse {words} JSON object") from unreadable

    def upload(self, name: str) -> Upload | None:
        """Return the file of this name, or the one that the value of this name points to."""
        return self._uploads.get(name) or self.attached(self.text(name))

    def attached(self, address: str) -> Upload | None:
        """Return the file that an `attach://` points to."""
        return self._uploads.get(address.removeprefix(ATTACHED))


async def read(request: web.Request) -> Given:
    """Read a call; refuse one that is too large or not JSON although it says so."""
    values: dict[str, Any] = dict(request.query)
    try:
        if request.content_type == "application/json":
            return Given({**values, **_object(await request.text())}, {})
        form = await request.post()
    except web.HTTPRequestEntityTooLarge as refused:
        raise too_large() from refused
    uploads: dict[str, Upload] = {}
    for name, value in form.items():
        if isinstance(value, web.FileField):
            uploads[name] = Upload(value.filename, value.content_type, value.file.read())
        else:
            values[name] = value.decode() if isinstance(value, bytes | bytearray) else value
    return Given(values, uploads)


def _object(text: str) -> dict[str, Any]:
    try:
        found = json.loads(text or "{}")
    except ValueError as unreadable:
        raise bad_request("can't parse request JSON object") from unreadable
    if not isinstance(found, dict):
        raise bad_request("can't parse request JSON object")
    return cast(dict[str, Any], found)
