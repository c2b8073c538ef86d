"""A user's memory: single notes, added, edited, deleted and restored by them or their assistant.

Whoever changes a note holds the account's lock. A deleted note is told to nobody from then on; for
`UNDO_TIME` it can be restored, then it is erased with its history, and saved files forget it.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import ColumnElement, delete, func, select, update
from sqlalchemy.orm import Session

from models import ledger
from models.base import utc_now
from models.chat import erasures
from models.errors import NotFound
from models.memory import earlier_words
from models.memory.refusals import (
    BadNote,
    NotedAgain,
    NoteDeleted,
    NotRemembered,
    TooManyDeleted,
    TooManyNotes,
)
from models.schema.chat import Conversation
from models.schema.memory import MemoryChange, MemoryNote, NoteAction, NoteAuthor

WORDS_MAX_LENGTH = 500
MOST_NOTES = 1_000
UNDO_TIME = timedelta(hours=1)


class Counted(NamedTuple):
    """How many notes a user has, and how many that can still be restored."""

    live: int
    deleted: int


def add(
    db: Session,
    user_id: UUID,
    words: str,
    *,
    author: NoteAuthor,
    conversation_id: UUID | None = None,
    message_id: UUID | None = None,
) -> MemoryNote:
    """Note something; what is noted in the same words already is that note.

    It is the user's from then on if they write it by hand. Raises BadNote, TooManyNotes, and
    NotRemembered for a conversation that says so.
    """
    clean = _clean(words)
    ledger.lock_account(db, user_id)
    refuse_if_not_remembered(db, conversation_id)
    same = _find_live(db, user_id, clean)
    if same is not None:
        if author is NoteAuthor.USER:
            _make_theirs(db, same)
        return same
    _refuse_if_many(db, user_id)
    _refuse_if_many_deleted(db, user_id)
    note = MemoryNote(
        user_id=user_id,
        number=_next_number(db, user_id),
        words=clean,
        author=author,
        conversation_id=conversation_id,
        message_id=message_id,
        noted_at=utc_now(),
    )
    db.add(note)
    db.flush()
    _tell(db, note, NoteAction.ADDED, author)
    return note


def edit(
    db: Session,
    note: MemoryNote,
    words: str,
    *,
    author: NoteAuthor,
    conversation_id: UUID | None = None,
    message_id: UUID | None = None,
) -> None:
    """Let a locked note say something else, said where it is said now.

    What a user writes by hand belongs to no conversation any more, also in the same words. Raises
    BadNote, and NoteDeleted.
    """
    clean = _clean(words)
    if note.deleted_at is not None:
        raise NoteDeleted
    if clean == note.words:
        if author is NoteAuthor.USER and conversation_id is None:
            _make_theirs(db, note)
        return
    _tell(db, note, NoteAction.EDITED, author)
    note.words, note.author = clean, author
    note.conversation_id, note.message_id = conversation_id, message_id
    db.flush()


def remove(db: Session, note: MemoryNote, *, author: NoteAuthor) -> None:
    """Delete a locked note; for a while it can be restored."""
    if note.deleted_at is None:
        note.deleted_at = utc_now()
        _tell(db, note, NoteAction.DELETED, author)


def restore(db: Session, note: MemoryNote, *, author: NoteAuthor) -> None:
    """Take the deletion of a locked note back. Raises TooManyNotes, and NotedAgain."""
    if note.deleted_at is not None:
        if _find_live(db, note.user_id, note.words) is not None:
            raise NotedAgain
        _refuse_if_many(db, note.user_id)
        note.deleted_at = None
        _tell(db, note, NoteAction.RESTORED, author)


def erase(db: Session, user_id: UUID, which: ColumnElement[bool]) -> int:
    """Delete notes of a user for good, with their history; return how many.

    Their saved files are to forget them too.
    """
    gone = db.scalars(
        delete(MemoryNote).where(MemoryNote.user_id == user_id, which).returning(MemoryNote.id)
    ).all()
    if gone:
        erasures.want_notes(db, user_id)
    return len(gone)


def erase_one(db: Session, note: MemoryNote) -> None:
    """Delete a locked note for good, whether it can still be restored or not."""
    erase(db, note.user_id, MemoryNote.id == note.id)
    db.expunge(note)


def erase_of_conversation(db: Session, user_id: UUID, conversation_id: UUID) -> None:
    """Erase what was noted in a conversation, and what other notes said while they were of it.

    A note that was of elsewhere before says again what it said there.
    """
    of_it = MemoryNote.conversation_id == conversation_id
    if earlier_words.go_back(
        db, user_id, of_it, lambda change: change.conversation_id == conversation_id
    ):
        erasures.want_notes(db, user_id)
    erase(db, user_id, of_it)
    _forget_before(db, user_id, MemoryChange.conversation_id == conversation_id)


def erase_of_message(db: Session, user_id: UUID, message_id: UUID) -> None:
    """Erase what was noted of a message, and what other notes said while they were of it.

    A note that was of another one before, or of none, says again what it said there.
    """
    of_it = MemoryNote.message_id == message_id
    if earlier_words.go_back(db, user_id, of_it, lambda change: change.message_id == message_id):
        erasures.want_notes(db, user_id)
    erase(db, user_id, of_it)
    _forget_before(db, user_id, MemoryChange.message_id == message_id)


def users_with_old_deletions(db: Session, before: datetime, limit: int) -> Sequence[UUID]:
    """List users with notes that were deleted before then and are still there."""
    return db.scalars(
        select(MemoryNote.user_id).where(MemoryNote.deleted_at < before).distinct().limit(limit)
    ).all()


def erase_deleted(db: Session, user_id: UUID, before: datetime) -> int:
    """Erase a user's notes that were deleted before then; return how many."""
    ledger.lock_account(db, user_id)
    return erase(db, user_id, MemoryNote.deleted_at < before)


def find_own(db: Session, user_id: UUID, note_id: UUID) -> MemoryNote:
    """Find and lock a note of this user's, or raise NotFound."""
    return _found(db, user_id, MemoryNote.id == note_id)


def find_by_number(db: Session, user_id: UUID, number: int) -> MemoryNote:
    """Find and lock the note that this user calls by that number, or raise NotFound."""
    return _found(db, user_id, (MemoryNote.number == number) & MemoryNote.deleted_at.is_(None))


def list_own(db: Session, user_id: UUID, limit: int = MOST_NOTES) -> Sequence[MemoryNote]:
    """List what a user's assistant knows, the newest first."""
    return db.scalars(
        _own(user_id)
        .where(MemoryNote.deleted_at.is_(None))
        .order_by(MemoryNote.noted_at.desc(), MemoryNote.id.desc())
        .limit(limit)
    ).all()


def count(db: Session, user_id: UUID) -> Counted:
    """Count the notes of a user."""
    is_live = MemoryNote.deleted_at.is_(None)
    live, every = func.count().filter(is_live), func.count()
    kept, in_all = db.execute(select(live, every).where(MemoryNote.user_id == user_id)).one()
    return Counted(kept, in_all - kept)


def refuse_if_not_remembered(db: Session, conversation_id: UUID | None) -> None:
    """Raise NotRemembered for a conversation that is not to be remembered, or was deleted.

    The caller holds its user's lock: what deletes a conversation takes its notes along, and a turn
    that still runs in it would note them anew.
    """
    if conversation_id is None:
        return
    asked = select(Conversation.is_remembered).where(
        Conversation.id == conversation_id, Conversation.deleted_at.is_(None)
    )
    if not db.scalar(asked):
        raise NotRemembered


def _clean(words: str) -> str:
    clean = " ".join(words.split())
    if not 0 < len(clean) <= WORDS_MAX_LENGTH:
        raise BadNote(most=WORDS_MAX_LENGTH)
    return clean


def _own(user_id: UUID):
    return select(MemoryNote).where(MemoryNote.user_id == user_id)


def _find_live(db: Session, user_id: UUID, words: str) -> MemoryNote | None:
    """Find the note of a user that is not deleted and says just that, in whatever case."""
    same = (MemoryNote.deleted_at.is_(None), func.lower(MemoryNote.words) == words.lower())
    return db.scalar(_own(user_id).where(*same).limit(1))


def _make_theirs(db: Session, note: MemoryNote) -> None:
    """Let a note be its user's, who has written the same by hand: it goes with no conversation."""
    note.author = NoteAuthor.USER
    note.conversation_id = note.message_id = None
    db.flush()


def _found(db: Session, user_id: UUID, condition: ColumnElement[bool]) -> MemoryNote:
    ledger.lock_account(db, user_id)
    note = db.scalar(_own(user_id).where(condition).execution_options(populate_existing=True))
    if note is None:
        raise NotFound
    return note


def _next_number(db: Session, user_id: UUID) -> int:
    last = db.scalar(select(func.max(MemoryNote.number)).where(MemoryNote.user_id == user_id))
    return (last or 0) + 1


def _refuse_if_many(db: Session, user_id: UUID) -> None:
    if count(db, user_id).live >= MOST_NOTES:
        raise TooManyNotes(most=MOST_NOTES)


def _refuse_if_many_deleted(db: Session, user_id: UUID) -> None:
    """Let nobody note and delete without end. A deletion itself is never refused."""
    if count(db, user_id).deleted >= MOST_NOTES:
        raise TooManyDeleted


def _tell(db: Session, note: MemoryNote, action: NoteAction, author: NoteAuthor) -> None:
    """Write a step down; an edit's before the note has its new words."""
    is_edited = action is NoteAction.EDITED
    db.add(
        MemoryChange(
            user_id=note.user_id,
            note_id=note.id,
            action=action,
            author=author,
            before=note.words if is_edited else None,
            conversation_id=note.conversation_id if is_edited else None,
            message_id=note.message_id if is_edited else None,
            made_at=utc_now(),
        )
    )
    db.flush()


def _forget_before(db: Session, user_id: UUID, which: ColumnElement[bool]) -> None:
    """Keep the steps of notes, without the words of before."""
    db.execute(
        update(MemoryChange)
        .where(MemoryChange.user_id == user_id, which)
        .values(before=None, conversation_id=None, message_id=None)
    )
