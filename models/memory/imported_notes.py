"""Notes that come with an archive: many at once, within the bounds of all notes."""

from collections.abc import Mapping, Sequence
from uuid import UUID

from sqlalchemy import func, insert, select
from sqlalchemy.orm import Session

from models import ledger
from models.base import new_id, utc_now
from models.memory import notes
from models.schema.memory import MemoryChange, MemoryNote, NoteAction, NoteAuthor

BY = NoteAuthor.IMPORTED


def add(db: Session, user_id: UUID, facts: Sequence[str]) -> tuple[int, int]:
    """Note facts, each in clean words; return how many are new, and how many have no room.

    What is noted in the same words already is not noted again. The first is to be shown first.
    """
    ledger.lock_account(db, user_id)
    new = list(_new(db, user_id, facts))
    kept = notes.count(db, user_id)
    last = db.scalar(select(func.max(MemoryNote.number)).where(MemoryNote.user_id == user_id))
    # A user who has deleted as many within the hour notes nothing more, and brings nothing more.
    room = notes.MOST_NOTES - kept.live if kept.deleted < notes.MOST_NOTES else 0
    fitting = new[: max(0, room)]
    # The newest are shown first, and these by their ids.
    rows = [
        {"id": new_id(), "user_id": user_id, "number": number, "words": words, "author": BY}
        for number, words in enumerate(reversed(fitting), (last or 0) + 1)
    ]
    if rows:
        _insert(db, user_id, rows)
    return len(fitting), len(new) - len(fitting)


def _new(db: Session, user_id: UUID, facts: Sequence[str]) -> Sequence[str]:
    known = set(
        db.scalars(
            select(func.lower(MemoryNote.words)).where(
                MemoryNote.user_id == user_id, MemoryNote.deleted_at.is_(None)
            )
        )
    )
    by_words = {words.lower(): words for words in reversed(facts)}
    return [words for key, words in reversed(by_words.items()) if key not in known]


def _insert(db: Session, user_id: UUID, rows: Sequence[Mapping[str, object]]) -> None:
    now = utc_now()
    db.execute(insert(MemoryNote), [{**row, "noted_at": now} for row in rows])
    step = {"user_id": user_id, "action": NoteAction.ADDED, "author": BY, "made_at": now}
    db.execute(
        insert(MemoryChange), [{"id": new_id(), "note_id": row["id"], **step} for row in rows]
    )
