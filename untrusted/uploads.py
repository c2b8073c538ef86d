"""Files that people send, looked into by a helper before anything is kept or charged."""

import re
from collections.abc import Hashable
from dataclasses import dataclass
from typing import Literal, cast, get_args

from untrusted import lanes
from untrusted.helper import Failed, Patience, Result
from untrusted.kinds import CHECK_PDF, CHECK_TEXT, FIT_PICTURE, MAKE_THUMBNAIL, Kind
from untrusted.reading import PDF

PICTURES = (
    re.compile(rb"\x89PNG\r\n\x1a\n"),
    re.compile(rb"\xff\xd8\xff"),
    re.compile(rb"GIF8[79]a"),
    re.compile(rb"RIFF.{4}WEBP", re.DOTALL),
    # HEIC and AVIF: a box that names what is in the others.
    re.compile(rb".{4}ftyp(?:hei[cmsx]|hev[cmsx]|mif[12]|msf1|avi[fs])", re.DOTALL),
)
# Documents, sheets and slides: archives that begin with one of their parts, or files of before.
OFFICE = re.compile(
    rb"PK\x03\x04.{26}(?:\[Content_Types\]\.xml|_rels/|docProps/|word/|xl/|ppt/"
    rb"|mimetypeapplication/vnd\.oasis)"
    rb"|\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",
    re.DOTALL,
)
# Some programs write something before the header; readers look for it so far.
PDF_HEADER = re.compile(rb"%PDF-\d")
PDF_HEADER_WITHIN = 1024
PDF_ENDS_WITHIN = 2048
FITTED = {"image/png", "image/jpeg", "image/gif", "image/webp"}
DECODED = FITTED | {"image/heif", "image/avif"}
Fault = Literal[
    "broken", "too_large", "too_hard", "encrypted", "no_pages", "no_text", "not_text", "office"
]


class BadFile(Exception):
    """A file that the assistant could not read; `fault` says why, `str()` more of it for a log."""

    def __init__(self, fault: Fault, detail: str = "") -> None:
        super().__init__(f"{fault}: {detail}" if detail else fault)
        self.fault: Fault = fault


class CannotCheck(Exception):
    """No helper had time for the file; later one may."""


@dataclass(frozen=True)
class Checked:
    """A file that can be read: its media type, or None for plain text, and what is to be kept."""

    media_type: str | None
    data: bytes


@dataclass(frozen=True)
class Fitted:
    """A picture that every model takes, in format and size."""

    media_type: str
    data: bytes


def check(data: bytes, *, owner: Hashable) -> Checked:
    """Look into a file. A picture that models would refuse for its size or format is remade.

    Raises BadFile, or CannotCheck when it could not be looked at now.
    """
    if any(signature.match(data) for signature in PICTURES):
        fitted = fit(data, owner=owner)
        return Checked(fitted.media_type, fitted.data)
    if _is_pdf(data):
        _ask(CHECK_PDF, data, owner)
        return Checked(PDF, data)
    if OFFICE.match(data):
        raise BadFile("office")
    _ask(CHECK_TEXT, data, owner)
    return Checked(None, data)


def fit(data: bytes, *, owner: Hashable, patience: Patience | None = None) -> Fitted:
    """Return a picture as it is if it is small and whole, or made so.

    Raises as `check` does, and Failed with "stopped" when `patience` was told to stop.
    """
    done = _ask(FIT_PICTURE, data, owner, patience)
    media_type = str(done.note.get("media_type"))
    if media_type not in FITTED:
        raise BadFile("broken")
    return Fitted(media_type, done.body or data)


@dataclass(frozen=True)
class Thumbnail:
    """A small picture of a picture, safe to be shown, and what it was made of."""

    media_type: str
    data: bytes
    made_of: str


def thumbnail(data: bytes, *, owner: Hashable) -> Thumbnail | None:
    """Return a small picture of a picture; None for what is none, or cannot be decoded.

    Raises CannotCheck when nobody could look at it now.
    """
    if not any(signature.match(data) for signature in PICTURES):
        return None
    try:
        done = _ask(MAKE_THUMBNAIL, data, owner)
    except BadFile:
        return None
    media_type, made_of = str(done.note.get("media_type")), str(done.note.get("of"))
    if media_type not in FITTED or made_of not in DECODED or not done.body:
        return None
    return Thumbnail(media_type, done.body, made_of)


def _is_pdf(data: bytes) -> bool:
    if data.startswith(b"%PDF-"):
        return True
    has_header = PDF_HEADER.search(data[:PDF_HEADER_WITHIN])
    return bool(has_header) and b"startxref" in data[-PDF_ENDS_WITHIN:]


def _ask(kind: Kind, data: bytes, owner: Hashable, patience: Patience | None = None) -> Result:
    try:
        done = lanes.do(kind, data, owner=owner, patience=patience)
    except Failed as failure:
        if failure.why == "stopped":
            raise
        if failure.why == "busy":
            raise CannotCheck from failure
        # Whatever takes so much time or memory to look at, or breaks what looks at it.
        raise BadFile("too_hard", str(failure)) from failure
    fault = done.note.get("fault")
    if fault is not None:
        raise BadFile(cast(Fault, fault) if fault in get_args(Fault) else "broken")
    return done
