"""A message as the assistant gets it: the local time, the words, and the files that came along."""

import asyncio
import base64
import re
import secrets
import threading
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

import structlog

from agent import context
from agent.catalogue import Model
from agent.local_time import local_time
from agent.quoting import one_line
from agent.recollection import recollection
from agent.state import UPLOADS, WORKSPACE
from agent.turn import AgentFailed, Attachment, Turn, TurnFailure
from gateways import values
from settings import Settings
from untrusted import reading, uploads
from untrusted.helper import Failed, Patience
from untrusted.reading import Unreadable
from untrusted.uploads import BadFile, CannotCheck

log = structlog.get_logger()

# OpenClaw takes requests of 20 MB, and base64 makes four bytes of three.
INLINE_IMAGE_BYTES = 14 * 1024 * 1024
# OpenClaw takes no more images than this in one message.
INLINE_IMAGES = 8
# Those that are checked when they come are no larger, so that all of a message fit.
FITTED_BYTES = 1_500_000
RESEARCH = """\
They want research for this message, and have agreed to its price. Split the question into parts
first. Search for each, three times or more in all, in their words and those that you read; read
some five pages, of different sites, the best first. Then write a report: the answer in a few lines;
what stands behind it, under headings; where sources differ, or something stays open. Cite each
claim by the number of its source, [1]. Do not ask back before you have searched."""
UNREADABLE = "(this file could not be read)"
NOTHING = "(no text could be read from this file)"
SHOWN, NOT_SHOWN = "(an image, shown with this message)", "(an image, not shown here)"
LONGER = "(cut here: the file is longer)"
CUT = "(cut here: the file is longer."
# Of a file so much stands in the message, and is paid for with each one after it; the rest is read
# when it is wanted.
SHOWN_CHARS = 20_000
# And so much of a PDF's text in the workspace.
LAID_DOWN_CHARS = 1_000_000
TEXT_SUFFIX = ".txt"


@dataclass(frozen=True)
class _Read:
    """What could be read of a file, and whether there is more."""

    text: str
    is_cut: bool


@dataclass(frozen=True)
class Message:
    """What is put to OpenClaw, and the originals to be laid down first, by path in the cell."""

    text: str
    images: tuple[str, ...]
    originals: dict[str, bytes]


async def compose_in_thread(
    turn: Turn, model: Model, settings: Settings, stop: threading.Event
) -> Message:
    """Write `turn` out as of now for `model`. Raises AgentFailed when `stop` is set meanwhile."""
    try:
        return await asyncio.to_thread(
            compose,
            turn,
            now=datetime.now(UTC),
            accepts_images=model.accepts_images,
            text_max_chars=context.text_chars(model, settings),
            patience=Patience(settings.upload_reading_seconds, stop),
        )
    except Failed as failure:
        # Whatever else fails costs the message no more than that file.
        raise AgentFailed(TurnFailure.STOPPED, permanent=True) from failure


def compose(
    turn: Turn, *, now: datetime, accepts_images: bool, text_max_chars: int, patience: Patience
) -> Message:
    """Write `turn` out for the assistant. Helpers read the files: call it from a thread.

    A file that cannot be read while `patience` lasts is named, and said to be unreadable. Raises
    `untrusted.helper.Failed`, with "stopped", when `patience` is told to stop.
    """
    zone = turn.profile.timezone
    attachments = tuple(_shown(one, turn, patience) for one in turn.attachments)
    images = _inline_images(attachments) if accepts_images else []
    room = text_max_chars
    notes: list[str] = []
    originals: dict[str, bytes] = {}
    for number, attachment in enumerate(attachments):
        path = _upload_path(turn.job_id, number, attachment.name)
        if attachment.is_image:
            originals[f"{WORKSPACE}/{path}"] = attachment.data
            notes.append(_note(attachment, path, SHOWN if number in images else NOT_SHOWN))
            continue
        read = _read(attachment, turn, patience)
        path, data = _laid_down(attachment, path, read)
        originals[f"{WORKSPACE}/{path}"] = data
        text = _cut(read, path, min(room, SHOWN_CHARS))
        room -= len(text)
        notes.append(_note(attachment, path, text or NOTHING))
    return Message(
        text="\n\n".join(
            (
                f"[{local_time(zone, now)}] {turn.text}",
                *filter(
                    None,
                    (
                        recollection(turn.recent, zone, turn.conversation_id),
                        _reminded(turn),
                        _research(turn),
                    ),
                ),
                *notes,
            )
        ),
        images=tuple(_data_url(attachments[number]) for number in images),
        originals=originals,
    )


def upload_prefix(job_id: UUID) -> str:
    """How the names of all files begin that came with a job's message."""
    return job_id.hex[-8:]


def upload_paths(job_id: UUID, name: str, most_files: int) -> list[str]:
    """List where in the workspace a file of this name may lie that came with a job's message."""
    paths = [_upload_path(job_id, number, name) for number in range(most_files)]
    return [*paths, *(f"{path}{TEXT_SUFFIX}" for path in paths)]


def _upload_path(job_id: UUID, number: int, name: str) -> str:
    folder = UPLOADS.removeprefix(f"{WORKSPACE}/")
    return f"{folder}/{upload_prefix(job_id)}{number}-{_file_name(name)}"


def _reminded(turn: Turn) -> str | None:
    """Write out what the service reminded of since the message before; None for nothing."""
    if not turn.reminded:
        return None
    mark = secrets.token_hex(4)
    zone = turn.profile.timezone
    lines = (f"- {local_time(zone, one.at)}: {one_line(one.words)}" for one in turn.reminded)
    return "\n".join((f"<reminded {mark}>", *lines, f"</reminded {mark}>"))


def _research(turn: Turn) -> str | None:
    """Say how research is done, where that is wanted."""
    if not turn.is_research:
        return None
    mark = secrets.token_hex(4)
    return f"<research {mark}>\n{RESEARCH}\n</research {mark}>"


def _shown(attachment: Attachment, turn: Turn, patience: Patience) -> Attachment:
    """Make a picture small that was sent before pictures were made small when they came."""
    if not attachment.is_image or len(attachment.data) <= FITTED_BYTES:
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
        if attachment.is_image and len(chosen) < INLINE_IMAGES:
            size += len(attachment.data)
            if size <= INLINE_IMAGE_BYTES:
                chosen.append(number)
    return chosen


def _note(attachment: Attachment, path: str, body: str) -> str:
    # Nobody who writes a file can know the mark that ends it.
    mark = secrets.token_hex(4)
    head = f'<file {mark} name="{_file_name(attachment.name)}" path="{path}">'
    return f"{head}\n{body}\n</file {mark}>"


def _read(attachment: Attachment, turn: Turn, patience: Patience) -> _Read:
    """Read the text of a file, as much of it as is laid down in the workspace."""
    try:
        text, is_cut = reading.text_of(
            attachment.data,
            attachment.media_type,
            most_chars=LAID_DOWN_CHARS,
            owner=turn.user_id,
            patience=patience,
        )
    except Unreadable as error:
        log.info("upload.unreadable", job_id=str(turn.job_id), why=str(error))
        return _Read(UNREADABLE, is_cut=False)
    return _Read(text, is_cut=is_cut)


def _laid_down(attachment: Attachment, path: str, read: _Read) -> tuple[str, bytes]:
    """Say where a file lies for the assistant, and what is in it: of a PDF its text alone.

    What reads files in a cell would show the bytes of a PDF, and each is paid for.
    """
    text = f"{read.text}\n{LONGER}" if read.is_cut else read.text
    if attachment.media_type == reading.PDF:
        return f"{path}{TEXT_SUFFIX}", text.encode()
    # In UTF-8, whatever it was written in.
    return path, attachment.data if read.is_cut or read.text == UNREADABLE else text.encode()


def _cut(read: _Read, path: str, most_chars: int) -> str:
    """Return what is shown of a file, and where the rest of it can be read."""
    shown = read.text[: max(most_chars, 0)]
    if len(shown) < len(read.text):
        return f"{shown}\n{CUT} Read on in {path}, from line {shown.count(chr(10)) + 1})"
    return f"{shown}\n{LONGER}" if read.is_cut else shown


def _data_url(image: Attachment) -> str:
    return f"data:{image.media_type};base64,{base64.b64encode(image.data).decode()}"


def _file_name(name: str) -> str:
    """Make a name that is one plain path component, keeping its end with the type."""
    plain = re.sub(r"[^\w.\- ]+", "_", name).strip(" .")
    return values.file_name(plain, fallback="file")
