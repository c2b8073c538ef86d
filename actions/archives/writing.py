"""Writes an archive of all that is a user's: conversations, files, and a runnable OpenClaw.

It reads the database in short transactions and storage file by file, so that no more than one of
each is in memory.
"""

import json
import re
import zipfile
import zlib
from collections.abc import Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from typing import IO
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from actions import offers
from actions.archives.names import Names
from agent import export
from agent.state import Restored
from gateways.s3_files import NotStored, Storage
from models.chat import files
from models.chat.files import FileKind, UserFile
from models.database import unit_of_work
from models.schema.chat import Conversation, Message, Role
from models.schema.users import User
from settings import get_settings

FORMAT = 1
CONVERSATIONS = "conversations"
SPEAKERS = {Role.USER: "You", Role.ASSISTANT: "Assistant"}
README = """\
All that is yours at {product}.

conversations/  what was said: for reading (.md) and for programs (.json)
files/          what you sent, and what was made for you
openclaw.json, agents/, workspace/
                your assistant, for OpenClaw {version} (https://openclaw.ai)

To go on with your assistant on a computer of your own: unpack this into the folder ~/.openclaw of
an installation that has none yet, put the key of a model's provider into openclaw.json, and run

    openclaw agent --local --agent main --message "What do you know about me?"
{left_out}"""
LEFT_OUT = """
Left out, as the archive would be too large; download these on the page of your files:
"""
OPENCLAW = "2026.9"
# What an import looks into. It takes a file for a bomb that is larger than this and was packed to
# a small part of its size: one like that is put in as it is.
LOOKED_INTO = ("conversations/", "workspace/")
LARGE_BYTES = 1024 * 1024
MOST_RATIO = 100
LEVEL = 6


@dataclass
class _Archive:
    """An archive that is being written, and how much more may go in."""

    zip: zipfile.ZipFile
    room_bytes: int
    left_out: list[str] = field(default_factory=list[str])
    names: Names = field(default_factory=Names)

    def add(self, name: str, data: bytes) -> None:
        self.zip.writestr(self.names.take(name), data, _packing(name, data))
        self.room_bytes -= len(data)


def write(user_id: UUID, restored: Restored, storage: Storage, target: IO[bytes]) -> None:
    """Write the archive of a user into `target`. Raises StorageFailed, and OSError."""
    room = get_settings().export_max_bytes
    whole = zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=LEVEL)
    with closing(whole):
        archive = _Archive(whole, room)
        with unit_of_work() as db:
            model = offers.current(db.get_one(User, user_id))
            ids = _conversations(db, user_id)
        for name, data in export.files(restored, model):
            archive.add(name, data)
        for conversation_id in ids:
            _add_conversation(archive, conversation_id)
        with unit_of_work() as db:
            mine = _files(db, user_id)
        for file in mine:
            _add_file(archive, file, storage)
        archive.add("README.txt", _readme(archive.left_out).encode())


def _packing(name: str, data: bytes) -> int:
    if len(data) <= LARGE_BYTES or not name.startswith(LOOKED_INTO):
        return zipfile.ZIP_DEFLATED
    is_like_a_bomb = len(data) > MOST_RATIO * len(zlib.compress(data, LEVEL))
    return zipfile.ZIP_STORED if is_like_a_bomb else zipfile.ZIP_DEFLATED


def _conversations(db: Session, user_id: UUID) -> Sequence[UUID]:
    mine = select(Conversation.id).where(Conversation.user_id == user_id)
    return db.scalars(mine.order_by(Conversation.id)).all()


def _files(db: Session, user_id: UUID) -> list[UserFile]:
    found: list[UserFile] = []
    before: UUID | None = None
    while True:
        page = files.list_own(db, user_id, list(FileKind), before=before)
        found += page.files
        before = page.earlier
        if before is None:
            return found


def _add_conversation(archive: _Archive, conversation_id: UUID) -> None:
    with unit_of_work() as db:
        conversation = db.get(Conversation, conversation_id)
        # It may have been deleted a moment ago.
        if conversation is None or conversation.deleted_at is not None:
            return
        said = db.scalars(
            select(Message).where(Message.conversation_id == conversation_id).order_by(Message.id)
        ).all()
        day = f"{conversation.created_at:%Y-%m-%d}"
        name = f"{CONVERSATIONS}/{day}-{_slug(conversation.title)}-{conversation_id.hex[-8:]}"
        document, text = _document(conversation, said), _text(conversation, said)
    archive.add(f"{name}.json", document)
    archive.add(f"{name}.md", text)


def _document(conversation: Conversation, said: Iterable[Message]) -> bytes:
    whole = {
        "format": FORMAT,
        "title": conversation.title,
        "created_at": conversation.created_at.isoformat(),
        "messages": [
            {
                "role": str(message.role),
                "text": message.text,
                "at": message.created_at.isoformat(),
                "files": [upload.name for upload in message.uploads],
            }
            for message in said
        ],
    }
    return json.dumps(whole, ensure_ascii=False, indent=1).encode(errors="replace")


def _text(conversation: Conversation, said: Iterable[Message]) -> bytes:
    parts = [f"# {conversation.title}"]
    for message in said:
        at = f"{message.created_at:%Y-%m-%d %H:%M} UTC"
        named = "".join(f"\n\n(File: {upload.name})" for upload in message.uploads)
        parts.append(f"## {SPEAKERS[message.role]}, {at}\n\n{message.text}{named}")
    return "\n\n".join(parts).encode(errors="replace") + b"\n"


def _add_file(archive: _Archive, file: UserFile, storage: Storage) -> None:
    name = f"files/{file.kind}/{file.id.hex[-8:]}-{file.name}"
    if file.size_bytes > archive.room_bytes:
        archive.left_out.append(file.name)
        return
    try:
        archive.add(name, storage.get(file.storage_key))
    except NotStored:
        # It was deleted a moment ago.
        return


def _readme(left_out: Sequence[str]) -> str:
    named = LEFT_OUT + "\n".join(f"- {name}" for name in left_out) + "\n" if left_out else ""
    product = get_settings().product_name
    return README.format(product=product, version=OPENCLAW, left_out=named)


def _slug(title: str) -> str:
    return "-".join(re.findall(r"[a-z0-9]+", title.lower()))[:40].strip("-") or "conversation"
