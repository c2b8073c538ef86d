"""A message as the assistant gets it: the local time, the words, and the files that came along."""

import base64
import re
import secrets
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID
from zoneinfo import ZoneInfo

import structlog

from agent.quoting import one_line
from agent.recollection import recollection
from agent.state import UPLOADS
from agent.turn import Attachment, Turn
from gateways import values
from untrusted import reading, uploads
from untrusted.helper import Patience
from untrusted.reading import Unreadable
from untrusted.uploads import BadFile, CannotCheck

log = structlog.get_logger()

# OpenClaw takes requests of 20 MB, and base64 makes four bytes of three.
INLINE_IMAGE_BYTES = 14 * 1024 * 1024
# OpenClaw takes no more images than this in one message.
INLINE_IMAGES = 8
# Those that are checked when they come are no larger, so that all of a message fit.
FITTED_BYTES = 1_500_000
UNREADABLE = "(this file could not be read)"


@dataclass(frozen=True)
class Message:
    """What is put to OpenClaw, and the originals to be laid down first, by path in the cell."""

    text: str
    images: tuple[str, ...]
    originals: dict[str, bytes]


def compose(
    turn: Turn, *, now: datetime, accepts_images: bool, text_max_chars: int, patience: Patience
) -> Message:
    """Write `turn` out for the assistant. Helpers read the files: call it from a thread.

    A file that cannot be read while `patience` lasts is named, and said to be unreadable. Raises
    `untrusted.helper.Failed`, with "stopped", when `patience` is told to stop.
    """
    attachments = tuple(_shown(one, turn, patience) for one in turn.attachments)
    images = _inline_images(attachments) if accepts_images else []
    room = text_max_chars
    notes: list[str] = []
    originals: dict[str, bytes] = {}
    for number, attachment in enumerate(attachments):
        path = f"{UPLOADS}/{upload_prefix(turn.job_id)}{number}-{_file_name(attachment.name)}"
        originals[path] = attachment.data
        text = _text_of(attachment, room, turn, patience)
        room -= len(text or "")
        notes.append(_note(attachment, path, text, is_shown=number in images))
    return Message(
        text="\n\n".join(
            (
                f"[{_local_time(turn.profile.timezone, now)}] {turn.text}",
                *filter(None, (recollection(turn.recent, turn.conversation_id), _reminded(turn))),
                *notes,
            )
        ),
        images=tuple(_data_url(attachments[number]) for number in images),
        originals=originals,
    )


def upload_prefix(job_id: UUID) -> str:
    """How the names of all files begin that came with a job's message."""
    return job_id.hex[-8:]


def _reminded(turn: Turn) -> str | None:
    """Write out what the service reminded of since the message before; None for nothing."""
    if not turn.reminded:
        return None
    mark = secrets.token_hex(4)
    zone = turn.profile.timezone
    lines = (f"- {_local_time(zone, one.at)}: {one_line(one.words)}" for one in turn.reminded)
    return "\n".join((f"<reminded {mark}>", *lines, f"</reminded {mark}>"))


def _local_time(timezone: str, now: datetime) -> str:
    """Write the time as OpenClaw would have written it in front of the message, in UTC."""
    try:
        zone = ZoneInfo(timezone)
    except (KeyError, ValueError, OSError):
        zone = ZoneInfo("UTC")
    return f"{now.astimezone(zone):%a %Y-%m-%d %H:%M} {zone.key}"


def _shown(attachment: Attachment, turn: Turn, patience: Patience) -> Attachment:
    """Make a picture small that was sent before pictures were made small when they came."""
    if not attachment.media_type.startswith("image/") or len(attachment.data) <= FITTED_BYTES:
        return attachment
    try:
        fitted = uploads.fit(attachment.data, owner=turn.user_id, patience=patience)
    except (BadFile, CannotCheck) as error:
        log.info("upload.unreadable", job_id=str(turn.job_id), why=str(error))
        return attachment
    return Attachment(attachment.name, fitted.media_type, fitted.data)


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


def _text_of(attachment: Attachment, room: int, turn: Turn, patience: Patience) -> str | None:
    """Return the text of a file, cut to `room` characters; None for an image."""
    if attachment.media_type.startswith("image/"):
        return None
    try:
        text, is_cut = reading.text_of(
            attachment.data,
            attachment.media_type,
            most_chars=max(room, 0),
            owner=turn.user_id,
            patience=patience,
        )
    except Unreadable as error:
        log.info("upload.unreadable", job_id=str(turn.job_id), why=str(error))
        return UNREADABLE
    return f"{text}\n(cut here: the file is longer)" if is_cut else text


def _data_url(image: Attachment) -> str:
    return f"data:{image.media_type};base64,{base64.b64encode(image.data).decode()}"


def _file_name(name: str) -> str:
    """Make a name that is one plain path component, keeping its end with the type."""
    plain = re.sub(r"[^\w.\- ]+", "_", name).strip(" .")
    return values.file_name(plain, fallback="file")
