"""The work of the lane for files that people send."""

import encodings
import io
import json
import math
import pkgutil
from contextlib import suppress
from importlib import import_module
from typing import Any

from PIL import Image
from pypdf import PdfWriter

from untrusted.inside import archives, calendars, pdfs, pictures, recordings, texts
from untrusted.inside.archives import BadArchive
from untrusted.inside.audio.measured import BadRecording
from untrusted.inside.calendars import BadCalendar
from untrusted.inside.pdfs import BadPdf
from untrusted.inside.pictures import BadPicture

SAMPLE_CALENDAR = b"""BEGIN:VCALENDAR
VERSION:2.0
PRODID:-//x//x//EN
BEGIN:VEVENT
UID:1
DTSTAMP:20260101T080000Z
DTSTART:20260101T080000Z
RRULE:FREQ=WEEKLY;UNTIL=20270101T080000Z;BYDAY=MO
SUMMARY:x
BEGIN:VALARM
ACTION:DISPLAY
DESCRIPTION:x
TRIGGER:-PT5M
END:VALARM
END:VEVENT
END:VCALENDAR
"""
Result = tuple[dict[str, Any], bytes]


def _check_text(_job: dict[str, Any], body: bytes) -> Result:
    return ({} if texts.encoding_of(body) else {"fault": "not_text"}), b""


def _read_text(job: dict[str, Any], body: bytes) -> Result:
    return _cut(texts.decode(body), job["most_chars"])


def _check_pdf(_job: dict[str, Any], body: bytes) -> Result:
    try:
        return {"pages": pdfs.check(body)}, b""
    except BadPdf as bad:
        return {"fault": bad.fault}, b""


def _read_pdf(job: dict[str, Any], body: bytes) -> Result:
    most_chars = job["most_chars"]
    try:
        text, is_cut = pdfs.read(body, most_chars=most_chars, seconds=job["seconds"])
    except BadPdf as bad:
        return {"fault": bad.fault}, b""
    return _cut(text, most_chars, is_cut=is_cut)


def _read_calendar(_job: dict[str, Any], body: bytes) -> Result:
    try:
        events, more = calendars.read(body)
    except BadCalendar:
        return {"fault": "broken"}, b""
    return {"more": more}, json.dumps(events).encode()


def _fit_picture(_job: dict[str, Any], body: bytes) -> Result:
    try:
        fitted = pictures.fit(body)
    except BadPicture as bad:
        return {"fault": bad.fault}, b""
    return {"media_type": fitted.media_type}, fitted.data


def _make_thumbnail(_job: dict[str, Any], body: bytes) -> Result:
    try:
        small = pictures.thumbnail(body)
    except BadPicture as bad:
        return {"fault": bad.fault}, b""
    return {"media_type": small.media_type, "of": small.made_of}, small.data


def _read_archive(_job: dict[str, Any], body: bytes) -> Result:
    try:
        found = archives.read(body)
    except BadArchive as bad:
        return {"fault": bad.fault}, b""
    files = [[path, len(data)] for path, data in found.files]
    manifest = {"conversations": found.conversations, "files": files}
    head = json.dumps(manifest, ensure_ascii=False).encode()
    return {"head_bytes": len(head)}, head + b"".join(data for _, data in found.files)


def _measure_recording(_job: dict[str, Any], body: bytes) -> Result:
    try:
        measured = recordings.measure(body)
    except BadRecording as bad:
        return {"fault": bad.fault}, b""
    # Added up of fractions, it may be a trace more than it is.
    duration_ms = math.ceil(round(measured.seconds * 1000, 3))
    return {"media_type": measured.media_type, "duration_ms": duration_ms}, b""


def _cut(text: str, most_chars: int, *, is_cut: bool = False) -> Result:
    note = {"is_cut": is_cut or len(text) > most_chars}
    return note, text[:most_chars].encode("utf-8", errors="replace")


def _load_what_comes_late() -> None:
    """Load what parsers import only when they meet it: there is no file to load it from later."""
    for module in pkgutil.iter_modules(encodings.__path__):
        # A few are for other systems.
        with suppress(ImportError):
            import_module(f"encodings.{module.name}")
    calendars.read(SAMPLE_CALENDAR)
    page = io.BytesIO()
    writer = PdfWriter()
    writer.add_blank_page(72, 72)
    writer.encrypt("", "owner", algorithm="AES-256")
    writer.write(page)
    pdfs.read(page.getvalue(), most_chars=1, seconds=1)
    for name in ("PNG", "JPEG", "GIF", "WEBP", "AVIF"):
        made = io.BytesIO()
        Image.new("RGB", (2, 2)).save(made, name)
        pictures.fit(made.getvalue())
        pictures.thumbnail(made.getvalue())


WORK = {
    "check_text": _check_text,
    "read_text": _read_text,
    "check_pdf": _check_pdf,
    "read_pdf": _read_pdf,
    "read_calendar": _read_calendar,
    "fit_picture": _fit_picture,
    "make_thumbnail": _make_thumbnail,
    "read_archive": _read_archive,
    "measure_recording": _measure_recording,
}
_load_what_comes_late()
