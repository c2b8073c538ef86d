"""A message as the assistant gets it: the local time, the words, and the files that came along."""

import base64
import io
import re
import secrets
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

import structlog
from pypdf import PdfReader
from pypdf.errors import PyPdfError

from agent.state import UPLOADS
from agent.turn import Attachment, Turn

log = structlog.get_logger()

PDF = "application/pdf"
# OpenClaw takes requests of 20 MB, and base64 makes four bytes of three.
INLINE_IMAGE_BYTES = 14 * 1024 * 1024
# OpenClaw takes no more images than this in one message.
INLINE_IMAGES = 8
PDF_PAGES = 300
NAME_CHARS = 80


@dataclass(frozen=True)
class Message:
    """What is put to OpenClaw, and the originals to be laid down first, by path in the cell."""

    text: str
    images: tuple[str, ...]
    originals: dict[str, bytes]


def compose(turn: Turn, *, now: datetime, accepts_images: bool, text_max_chars: int) -> Message:
    """Write `turn` out for the assistant. Reading a PDF takes a while: call it from a thread."""
    images = _inline_images(turn.attachments) if accepts_images else []
    room = text_max_chars
    notes: list[str] = []
    originals: dict[str, bytes] = {}
    for number, attachment in enumerate(turn.attachments):
        path = f"{UPLOADS}/{turn.job_id.hex[-8:]}{number}-{_file_name(attachment.name)}"
        originals[path] = attachment.data
        text = _text_of(attachment, room)
        room -= len(text or "")
        notes.append(_note(attachment, path, text, is_shown=number in images))
    return Message(
        text="\n\n".join((f"[{_local_time(turn.profile.timezone, now)}] {turn.text}", *notes)),
        images=tuple(_data_url(turn.attachments[number]) for number in images),
        originals=originals,
    )


def _local_time(timezone: str, now: datetime) -> str:
    """Write the time as OpenClaw would have written it in front of the message, in UTC."""
    try:
        zone = ZoneInfo(timezone)
    except (KeyError, ValueError, OSError):
        zone = ZoneInfo("UTC")
    return f"{now.astimezone(zone):%a %Y-%m-%d %H:%M} {zone.key}"


def _inline_images(attachments: tuple[Attachment, ...]) -> list[int]:
    chosen: list[int] = []
    size = 0
    for number, attachment in enumerate(attachments):
        if attachment.media_type.startswith("image/") and len(chosen) < INLINE_IMAGES:
            size += len(attachment.data)
            if size <= INLINE_IMAGE_BYTES:
                chosen.append(number)
    return chosen


def _note(attachment: Attachment, path: str, text: str | None, *, is_shown: bool) -> str:
    # Nobody who writes a file can know the mark that ends it.
    mark = secrets.token_hex(4)
    in_workspace = path.removeprefix("workspace/")
    head = f'<file {mark} name="{_file_name(attachment.name)}" path="{in_workspace}">'
    if text is None:
        body = "(an image, shown with this message)" if is_shown else "(an image, not shown here)"
    else:
        body = text or "(no text could be read from this file)"
    return f"{head}\n{body}\n</file {mark}>"


def _text_of(attachment: Attachment, room: int) -> str | None:
    """Return the text of a file, cut to `room` characters; None for an image."""
    if attachment.media_type.startswith("image/"):
        return None
    if attachment.media_type == PDF:
        return _cut(_pdf_text(attachment.data, room), room)
    return _cut(_decoded(attachment.data), room)


def _cut(text: str, room: int) -> str:
    return text if len(text) <= room else f"{text[: max(room, 0)]}\n(cut here: the file is longer)"


def _decoded(data: bytes) -> str:
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return data.decode("utf-16", errors="replace")
    return data.decode("utf-8-sig", errors="replace")


def _pdf_text(data: bytes, room: int) -> str:
    pages: list[str] = []
    size = 0
    try:
        reader = PdfReader(io.BytesIO(data))
        for page in reader.pages[:PDF_PAGES]:
            pages.append(page.extract_text().strip())
            size += len(pages[-1])
            if size > room:
                break
    # pypdf lets errors of many kinds through when a file is damaged.
    except (PyPdfError, ValueError, TypeError, LookupError, RecursionError, OSError) as error:
        log.info("upload.unreadable", error=repr(error))
    return "\n\n".join(page for page in pages if page)


def _data_url(image: Attachment) -> str:
    return f"data:{image.media_type};base64,{base64.b64encode(image.data).decode()}"


def _file_name(name: str) -> str:
    """Make a name that is one plain path component, keeping its end with the type."""
    plain = re.sub(r"[^\w.\- ]+", "_", name).strip(" .")
    return plain[-NAME_CHARS:] or "file"
