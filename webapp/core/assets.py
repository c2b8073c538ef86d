"""Files of `static/`, under names that change with their content and may be cached for ever."""

import gzip
import mimetypes
import re
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from posixpath import splitext

from flask import Flask, Response, abort, request

FOLDER = Path(__file__).parents[1] / "static"
FOR_EVER = "public, max-age=31536000, immutable"
ASK_AGAIN = "public, no-cache"
SQUEEZABLE = {"text/css", "text/javascript", "image/svg+xml", "application/manifest+json"}
# Names in here carry a version already, as the style sheet refers to them.
VERSIONED = "fonts/"
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/-]{0,199}")

mimetypes.add_type("font/woff2", ".woff2")
mimetypes.add_type("text/javascript", ".js")


@dataclass(frozen=True)
class Asset:
    """A static file as it is sent."""

    body: bytes
    squeezed: bytes | None
    media_type: str
    digest: str


def install(app: Flask) -> None:
    """Serve the files under /static/ and give templates `asset(name)`, their address."""
    app.add_url_rule("/static/<path:name>", "static", _send)
    app.add_template_global(address, "asset")


def address(name: str) -> str:
    """Return the address of a file: `app.css` becomes `/static/app.1a2b3c4d.css`."""
    stem, ending = splitext(name)
    found = find(name)
    if found is None:
        raise FileNotFoundError(name)
    return f"/static/{stem}.{found.digest}{ending}"


def find(name: str) -> Asset | None:
    """Read a file of the folder; None if there is none of this name."""
    path = _inside(name)
    try:
        changed_at = path.stat().st_mtime_ns if path else 0
    except OSError:
        return None
    return _read(path, changed_at) if path and path.is_file() else None


@lru_cache(maxsize=256)
def _inside(name: str) -> Path | None:
    if not NAME.fullmatch(name):
        return None
    path = (FOLDER / name).resolve()
    return path if path.is_relative_to(FOLDER.resolve()) else None


@lru_cache(maxsize=256)
def _read(path: Path, _changed_at: int) -> Asset:
    body = path.read_bytes()
    media_type = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
    squeezed = gzip.compress(body, 9, mtime=0) if media_type in SQUEEZABLE else None
    return Asset(body, squeezed, media_type, sha256(body).hexdigest()[:8])


def _send(name: str) -> Response:
    plain, digest = _split(name)
    found = find(name)
    lasts = name.startswith(VERSIONED)
    if found is None:
        found = find(plain)
        # An old page may ask for an old name: it gets today's file, but not for ever.
        lasts = found is not None and digest == found.digest
    if found is None:
        abort(404)
    squeeze = found.squeezed is not None and "gzip" in request.accept_encodings
    response = Response(found.squeezed if squeeze else found.body, mimetype=found.media_type)
    if squeeze:
        response.headers["Content-Encoding"] = "gzip"
    response.vary.add("Accept-Encoding")
    response.headers["Cache-Control"] = FOR_EVER if lasts else ASK_AGAIN
    response.set_etag(found.digest + ("-gz" if squeeze else ""))
    response.make_conditional(request)
    return response


def _split(name: str) -> tuple[str, str]:
    rest, ending = splitext(name)
    stem, digest = splitext(rest)
    return stem + ending, digest.removeprefix(".")
