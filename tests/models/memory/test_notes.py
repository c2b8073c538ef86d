"""Notes are somebody's own, said once, and gone for good when their hour is over."""

from datetime import timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from models.base import utc_now
from models.chat import conversations, erasures
from models.errors import NotFound
from models.memory import notes
from models.memory.notes import BadNote, NotRemembered, TooManyNotes
from models.schema.memory import MemoryChange, MemoryNote, NoteAuthor
from models.schema.users import User

BY = NoteAuthor.ASSISTANT


def _words(db: Session, owner: User) -> list[str]:
    return [one.words for one in notes.list_own(db, owner.id)]


def test_what_is_known_already_is_not_noted_twice(db: Session, ada: User, eve: User) -> None:
    first = notes.add(db, ada.id, "Likes tea", author=BY)
    assert notes.add(db, ada.id, " likes  TEA ", author=BY) is first
    assert notes.add(db, eve.id, "Likes tea", author=BY).number == 1
    assert notes.add(db, ada.id, "Has a cat", author=BY).number == 2
    assert _words(db, ada) == ["Has a cat", "Likes tea"]


@pytest.mark.parametrize("words", ["", " \n", "x" * 501])
def test_a_note_says_something_and_not_too_much(db: Session, ada: User, words: str) -> None:
    with pytest.raises(BadNote):
        notes.add(db, ada.id, words, author=BY)


def test_there_are_only_so_many(db: Session, ada: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(notes, "MOST_NOTES", 1)
    notes.add(db, ada.id, "Likes tea", author=BY)
    with pytest.raises(TooManyNotes):
        notes.add(db, ada.id, "Has a cat", author=BY)


def test_in_a_conversation_that_is_not_to_be_remembered_nothing_is_noted(
    db: Session, ada: User
) -> None:
    secret = conversations.start(db, ada.id)
    conversations.remember(secret, is_remembered=False)
    db.flush()
    with pytest.raises(NotRemembered):
        notes.add(db, ada.id, "Likes tea", author=BY, conversation_id=secret.id)
    assert _words(db, ada) == []


def test_a_deleted_note_is_erased_when_its_hour_is_over(db: Session, ada: User) -> None:
    note = notes.add(db, ada.id, "Likes tea", author=BY)
    notes.remove(db, note, author=BY)
    now = utc_now()
    assert notes.users_with_old_deletions(db, now - notes.UNDO_TIME, 10) == []
    notes.erase_deleted(db, ada.id, now - notes.UNDO_TIME)
    assert db.scalars(select(MemoryNote)).all()
    late = now + timedelta(seconds=1)
    assert notes.users_with_old_deletions(db, late, 10) == [ada.id]
    notes.erase_deleted(db, ada.id, late)
    assert db.scalars(select(MemoryNote)).all() == []
    assert db.scalars(select(MemoryChange)).all() == []
    # Saved files have it still.
    assert [one.conversation_id for one in erasures.pending(db, ada.id)] == [None]


def test_a_number_is_of_ones_own_notes_that_are_left(db: Session, ada: User, eve: User) -> None:
    note = notes.add(db, ada.id, "Likes tea", author=BY)
    with pytest.raises(NotFound):
        notes.find_by_number(db, eve.id, note.number)
    notes.remove(db, note, author=BY)
    with pytest.raises(NotFound):
        notes.find_by_number(db, ada.id, note.number)
