"""What users bring from elsewhere: conversations, and files on their way into the workspace."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import accumulate, pairwise
from uuid import UUID

from sqlalchemy import exists, insert, select, update
from sqlalchemy.dialects.postgresql import insert as insert_new
from sqlalchemy.orm import Session

from models.base import new_id
from models.chat import context, conversations
from models.chat.context import Exchange
from models.errors import NotFound, Refused
from models.schema.archives import ImportedFile, ImportedStatus
from models.schema.chat import IMPORT, Conversation, Message, Role
from models.schema.snapshots import StateSnapshot

# So many go into the workspace at one turn: each is fetched and written before it begins.
PLACED_AT_ONCE = 100
PLACED_BYTES = 64 * 1024 * 1024


class ArchiveTooLarge(Refused):
    """An archive has more than `most_mb`."""

    code = "archive_too_large"


class BadArchive(Refused):
    """Nothing is taken of an archive: see `untrusted.archives.ArchiveFault`."""

    code = "bad_archive"

    def __init__(self, fault: str) -> None:
        super().__init__()
        self.fault = fault


@dataclass(frozen=True)
class SaidElsewhere:
    """A message of an archive; `at` is aware UTC."""

    role: Role
    text: str
    at: datetime


@dataclass(frozen=True)
class StoredImport:
    """A file of an archive that is in storage already; `path` is that in its workspace."""

    path: str
    name: str
    media_type: str
    size_bytes: int
    storage_key: str
    is_set_aside: bool


def add_conversation(
    db: Session, user_id: UUID, title: str, said: Sequence[SaidElsewhere]
) -> Conversation:
    """Add a conversation of an archive, with its own times; the newest is when it was used."""
    conversation = Conversation(
        user_id=user_id,
        title=title or conversations.title_of(said[0].text),
        created_at=min(one.at for one in said),
        updated_at=max(one.at for one in said),
    )
    db.add(conversation)
    db.flush()
    rows = [
        {
            "id": new_id(),
            "conversation_id": conversation.id,
            "user_id": user_id,
            "role": one.role,
            "text": one.text,
            "channel": IMPORT,
            "created_at": one.at,
        }
        for one in said
    ]
    db.execute(insert(Message), rows)
    return conversation


def add_files(db: Session, user_id: UUID, files: Sequence[StoredImport]) -> list[str]:
    """Add files under the account's lock; one of a path that came before stays as it was.

    Returns the storage keys of those that were not taken, to be deleted.
    """
    taken: set[str] = set()
    for file in files:
        values = {name: value for name, value in vars(file).items() if name != "is_set_aside"}
        status = ImportedStatus.SET_ASIDE if file.is_set_aside else ImportedStatus.WAITING
        added = (
            insert_new(ImportedFile)
            .values(id=new_id(), user_id=user_id, status=status, **values)
            .on_conflict_do_nothing(index_elements=[ImportedFile.user_id, ImportedFile.path])
            .returning(ImportedFile.storage_key)
        )
        taken.update(db.scalars(added))
    return [file.storage_key for file in files if file.storage_key not in taken]


def said_before(
    db: Session, conversation_id: UUID, *, saved: StateSnapshot | None, limit: int
) -> list[Exchange]:
    """List the last exchanges of a conversation that came with an archive, oldest first.

    None once the `saved` files have an answer of ours in it: what is told to the assistant stays in
    the conversation, until a message of it is deleted.
    """
    here = select(Message).where(Message.conversation_id == conversation_id)
    first = db.scalar(here.with_only_columns(Message.channel).order_by(Message.id).limit(1))
    if first != IMPORT:
        return []
    newest = list(db.scalars(here.order_by(Message.id.desc()).limit(2 * limit + 2)))
    talk = db.get_one(Conversation, conversation_id)
    if context.has_saved_answer(db, talk, saved):
        return []
    said = [one for one in reversed(newest) if one.channel == IMPORT]
    return [
        Exchange(conversation_id, talk.title, asked.text, answered.text, asked.created_at)
        for asked, answered in pairwise(said)
        if (asked.role, answered.role) == (Role.USER, Role.ASSISTANT)
    ][-limit:]


def find_own(db: Session, user_id: UUID, file_id: UUID) -> ImportedFile:
    """Find a file that this user brought, or raise NotFound."""
    found = db.scalar(
        select(ImportedFile).where(ImportedFile.id == file_id, ImportedFile.user_id == user_id)
    )
    if found is None:
        raise NotFound
    return found


def list_to_place(db: Session, user_id: UUID, job_id: UUID) -> list[ImportedFile]:
    """List what a turn is to put into the workspace, and note that it will.

    What a turn before put there is done with once a version was saved after it.
    """
    is_saved = exists().where(
        StateSnapshot.user_id == user_id, StateSnapshot.job_id == ImportedFile.job_id
    )
    mine = (ImportedFile.user_id == user_id, ImportedFile.status == ImportedStatus.WAITING)
    waiting = db.scalar(select(exists().where(*mine)))
    if not waiting:
        return []
    db.execute(
        update(ImportedFile)
        .where(*mine, is_saved)
        .values(status=ImportedStatus.PLACED)
        .execution_options(synchronize_session=False)
    )
    due = select(ImportedFile).where(*mine).order_by(ImportedFile.path).limit(PLACED_AT_ONCE)
    found = db.scalars(due).all()
    before = accumulate((file.size_bytes for file in found), initial=0)
    files = [file for file, size in zip(found, before, strict=False) if size < PLACED_BYTES]
    _note_turn(db, [file.id for file in files], job_id)
    return files


def _note_turn(db: Session, ids: Collection[UUID], job_id: UUID) -> None:
    db.execute(
        update(ImportedFile)
        .where(ImportedFile.id.in_(ids))
        .values(job_id=job_id)
        .execution_options(synchronize_session=False)
    )
