"""What notes said before, elsewhere than where something is being deleted: they say it again.

An assistant that words a user's note anew in a conversation does not make the user's own words part
of that conversation.
"""

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import ColumnElement, delete, select
from sqlalchemy.orm import Session

from models.schema.memory import MemoryChange, MemoryNote, NoteAction, NoteAuthor


@dataclass(frozen=True)
class _Said:
    """What a note said, and where; nothing once that was deleted."""

    words: str
    conversation_id: UUID | None
    message_id: UUID | None


@dataclass(frozen=True)
class _Earlier:
    """What a note said until a change."""

    said: _Said
    change: MemoryChange


def go_back(
    db: Session,
    user_id: UUID,
    which: ColumnElement[bool],
    is_of_it: Callable[[MemoryChange], bool],
) -> int:
    """Let notes say what they said last elsewhere; return how many do.

    `which` are the notes that are of what is being deleted, and `is_of_it` tells whether earlier
    words are. What was taken back is not put back. Those with no such words are left as they are.
    """
    found = db.scalars(select(MemoryNote).where(MemoryNote.user_id == user_id, which)).all()
    changes = _changes(db, [note.id for note in found])
    gone_back = 0
    for note in found:
        steps = changes[note.id]
        before = _last_elsewhere(_edits(steps), note, is_of_it)
        if before is not None:
            _go_back(db, note, before, steps)
            gone_back += 1
    db.flush()
    return gone_back


def _changes(db: Session, ids: Sequence[UUID]) -> defaultdict[UUID, list[MemoryChange]]:
    of_them = select(MemoryChange).where(MemoryChange.note_id.in_(ids))
    changes: defaultdict[UUID, list[MemoryChange]] = defaultdict(list)
    for change in db.scalars(of_them.order_by(MemoryChange.id)):
        changes[change.note_id].append(change)
    return changes


def _edits(steps: Sequence[MemoryChange]) -> list[MemoryChange]:
    return [step for step in steps if step.action is NoteAction.EDITED]


def _last_elsewhere(
    edits: Sequence[MemoryChange], note: MemoryNote, is_of_it: Callable[[MemoryChange], bool]
) -> _Earlier | None:
    path: list[_Earlier] = []
    for edit in edits:
        said = _Said(edit.before or "", edit.conversation_id, edit.message_id)
        path = [*_until(path, said), _Earlier(said, edit)]
    now = _Said(note.words, note.conversation_id, note.message_id)
    for earlier in reversed(_until(path, now)):
        if earlier.said.words and not is_of_it(earlier.change):
            return earlier
    return None


def _until(path: list[_Earlier], said: _Said) -> list[_Earlier]:
    """Return what came before a note said this first: what it said since was taken back."""
    ats = (at for at, one in enumerate(path) if one.said == said and said.words)
    return path[: next(ats, len(path))]


def _go_back(
    db: Session, note: MemoryNote, before: _Earlier, steps: Sequence[MemoryChange]
) -> None:
    said = before.said
    makers = (NoteAction.ADDED, NoteAction.EDITED)
    older = [one for one in steps if one.id < before.change.id and one.action in makers]
    note.words, note.author = said.words, older[-1].author if older else NoteAuthor.USER
    note.conversation_id, note.message_id = said.conversation_id, said.message_id
    # They told how it came to say what is being deleted.
    db.execute(
        delete(MemoryChange).where(
            MemoryChange.note_id == note.id,
            MemoryChange.action == NoteAction.EDITED,
            MemoryChange.id >= before.change.id,
        )
    )
