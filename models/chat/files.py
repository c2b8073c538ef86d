"""All files of a user, whichever way they went: what they sent, and what they were handed."""

import enum
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.archives import imported
from models.chat import answer_files, uploads
from models.schema.answer_files import AnswerFile
from models.schema.archives import ImportedFile, ImportedStatus
from models.schema.chat import Conversation
from models.schema.uploads import Upload

PAGE_LENGTH = 40


class FileKind(enum.StrEnum):
    """Which way a file went."""

    SENT = "sent"
    MADE = "made"
    IMPORTED = "imported"


TABLES: dict[FileKind, type[Upload] | type[AnswerFile] | type[ImportedFile]] = {
    FileKind.SENT: Upload,
    FileKind.MADE: AnswerFile,
    FileKind.IMPORTED: ImportedFile,
}


@dataclass(frozen=True)
class UserFile:
    """A file as its page shows it."""

    kind: FileKind
    id: UUID
    name: str
    # What the assistant calls it, or its name.
    label: str
    media_type: str
    size_bytes: int
    storage_key: str
    # A picture that may be shown.
    is_image: bool
    created_at: datetime
    # None for what was brought from elsewhere.
    conversation_id: UUID | None
    # It was brought, and the assistant does not get it.
    is_set_aside: bool = False


@dataclass(frozen=True)
class FileList:
    """A page of files, the newest first; `earlier` is where the next page begins."""

    files: tuple[UserFile, ...]
    # By the id of the conversation that they came with.
    titles: dict[UUID, str]
    earlier: UUID | None


def list_own(
    db: Session,
    user_id: UUID,
    kinds: Sequence[FileKind],
    *,
    before: UUID | None = None,
    limit: int = PAGE_LENGTH,
) -> FileList:
    """List a user's files of these kinds, at most `limit` of them, those before a file."""
    found: list[UserFile] = []
    for kind in kinds:
        table = TABLES[kind]
        wanted = select(table).where(table.user_id == user_id)
        if before is not None:
            # Ids are in the order of their time, in all tables alike.
            wanted = wanted.where(table.id < before)
        rows = db.scalars(wanted.order_by(table.id.desc()).limit(limit + 1))
        found += [_shown(kind, row) for row in rows]
    found.sort(key=lambda one: one.id, reverse=True)
    shown = tuple(found[:limit])
    has_more = len(found) > limit
    return FileList(shown, titles_of(db, shown), shown[-1].id if has_more else None)


def find_own(db: Session, user_id: UUID, kind: FileKind, file_id: UUID) -> UserFile:
    """Find a file of this user's, or raise NotFound."""
    return _shown(kind, FINDERS[kind](db, user_id, file_id))


def _shown(kind: FileKind, row: Upload | AnswerFile | ImportedFile) -> UserFile:
    is_imported = isinstance(row, ImportedFile)
    return UserFile(
        kind=kind,
        id=row.id,
        name=row.name,
        label=_label(row),
        media_type=row.media_type,
        size_bytes=row.size_bytes,
        storage_key=row.storage_key,
        is_image=not is_imported and row.is_image,
        created_at=row.created_at,
        conversation_id=None if is_imported else row.conversation_id,
        is_set_aside=is_imported and row.status is ImportedStatus.SET_ASIDE,
    )


def _label(row: Upload | AnswerFile | ImportedFile) -> str:
    if isinstance(row, AnswerFile):
        return row.label
    return row.path if isinstance(row, ImportedFile) else row.name


FINDERS: dict[FileKind, Callable[[Session, UUID, UUID], Upload | AnswerFile | ImportedFile]] = {
    FileKind.SENT: uploads.find_own,
    FileKind.MADE: answer_files.find_own,
    FileKind.IMPORTED: imported.find_own,
}


def titles_of(db: Session, files: Sequence[UserFile]) -> dict[UUID, str]:
    """Return the names of the conversations that files of one user came with, by their ids."""
    ids = {one.conversation_id for one in files if one.conversation_id}
    named = select(Conversation.id, Conversation.title).where(Conversation.id.in_(ids))
    return {row.id: row.title for row in db.execute(named)} if ids else {}
