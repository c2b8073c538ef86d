"""How a user's notes came to be what they are, and taking the last step of one back."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import exists, select
from sqlalchemy.orm import Session, aliased

from models import ledger
from models.errors import NotFound, Refused
from models.memory import notes
from models.schema.memory import MemoryChange, MemoryNote, NoteAction, NoteAuthor


class ChangedSince(Refused):
    """A note has changed again since the step that is to be taken back."""

    code = "note_changed_since"


class EarlierWordsGone(Refused):
    """What a note said before was deleted, with the conversation or message in which it was."""

    code = "earlier_words_gone"


@dataclass(frozen=True)
class Step:
    """A change with its note as it is now; `is_last`: none came after it."""

    change: MemoryChange
    note: MemoryNote
    is_last: bool

    @property
    def has_lost_words(self) -> bool:
        return self.change.action is NoteAction.EDITED and self.change.before is None

    @property
    def can_be_undone(self) -> bool:
        return self.is_last and not self.has_lost_words


def list_own(
    db: Session, user_id: UUID, limit: int, *, before: UUID | None = None
) -> Sequence[Step]:
    """List the steps of a user's notes, the newest first; with `before` those that are older."""
    later = aliased(MemoryChange)
    is_superseded = exists().where(
        later.note_id == MemoryChange.note_id, later.id > MemoryChange.id
    )
    wanted = (
        select(MemoryChange, MemoryNote, ~is_superseded)
        .join(MemoryNote, MemoryNote.id == MemoryChange.note_id)
        .where(MemoryChange.user_id == user_id)
        .order_by(MemoryChange.id.desc())
        .limit(limit)
    )
    if before is not None:
        wanted = wanted.where(MemoryChange.id < before)
    return [Step(*row) for row in db.execute(wanted).all()]


def undo(db: Session, user_id: UUID, change_id: UUID) -> MemoryNote:
    """Take the last step of one of the user's notes back, which is a further step.

    Raises NotFound for another user's, ChangedSince when it is not the last one, and
    EarlierWordsGone when there is nothing left to go back to.
    """
    # Before anything is read: who deletes a conversation takes the words of before along.
    ledger.lock_account(db, user_id)
    wanted = select(MemoryChange).where(
        MemoryChange.id == change_id, MemoryChange.user_id == user_id
    )
    change = db.scalar(wanted.execution_options(populate_existing=True))
    if change is None:
        raise NotFound
    note = notes.find_own(db, user_id, change.note_id)
    newest = (
        select(MemoryChange.id)
        .where(MemoryChange.note_id == note.id)
        .order_by(MemoryChange.id.desc())
        .limit(1)
    )
    if db.scalar(newest) != change.id:
        raise ChangedSince
    _undo(db, note, change)
    return note


def _undo(db: Session, note: MemoryNote, change: MemoryChange) -> None:
    by = NoteAuthor.USER
    if change.action is NoteAction.DELETED:
        notes.restore(db, note, author=by)
    elif change.action is NoteAction.EDITED:
        if change.before is None:
            raise EarlierWordsGone
        # They are still of where they were said, and go with that.
        where = {"conversation_id": change.conversation_id, "message_id": change.message_id}
        notes.edit(db, note, change.before, author=by, **where)
    else:
        notes.remove(db, note, author=by)
