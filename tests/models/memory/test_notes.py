"""Notes are somebody's own, said once, and gone for good when their hour is over."""

from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from models.base import utc_now
from models.chat import conversations, erasures
from models.errors import NotFound
from models.memory import changes, imported_notes, notes
from models.memory.changes import EarlierWordsGone
from models.memory.refusals import (
    BadNote,
    NotedAgain,
    NoteDeleted,
    NotRemembered,
    TooManyDeleted,
    TooManyNotes,
)
from models.schema.chat import Conversation, Message, Role
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


def test_a_turn_that_still_runs_notes_nothing_in_a_deleted_conversation(
    db: Session, ada: User
) -> None:
    gone = conversations.start(db, ada.id)
    conversations.erase(db, gone)
    db.flush()
    with pytest.raises(NotRemembered):
        notes.add(db, ada.id, "Likes tea", author=BY, conversation_id=gone.id)
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


@pytest.fixture
def replaced(db: Session, ada: User) -> tuple[MemoryNote, Message, Message]:
    """What was said in a message, and said anew in another one elsewhere."""
    said = [_asked(db, conversations.start(db, ada.id)) for _ in range(2)]
    first, second = said
    note = notes.add(db, ada.id, "Likes tea", author=BY, **_where(first))
    notes.edit(db, note, "Likes coffee", author=BY, **_where(second))
    return note, first, second


@pytest.mark.parametrize("way", ["conversation", "message"])
def test_what_a_note_said_before_goes_with_where_it_was_said(
    db: Session, ada: User, replaced: tuple[MemoryNote, Message, Message], way: str
) -> None:
    note, first, _ = replaced
    _erase(db, ada, first, way)
    assert _words(db, ada) == ["Likes coffee"]
    step = changes.list_own(db, ada.id, 1)[0]
    assert (step.change.before, step.has_lost_words, step.can_be_undone) == (None, True, False)
    with pytest.raises(EarlierWordsGone):
        changes.undo(db, ada.id, step.change.id)
    assert note.deleted_at is None


@pytest.mark.parametrize("way", ["conversation", "message"])
def test_what_was_taken_back_still_goes_with_where_it_was_said(
    db: Session, ada: User, replaced: tuple[MemoryNote, Message, Message], way: str
) -> None:
    _, first, _ = replaced
    changes.undo(db, ada.id, changes.list_own(db, ada.id, 1)[0].change.id)
    assert _words(db, ada) == ["Likes tea"]
    _erase(db, ada, first, way)
    assert db.scalars(select(MemoryNote)).all() == []


def test_what_a_user_wrote_before_is_of_no_conversation(db: Session, ada: User, eve: User) -> None:
    first, second = (_asked(db, conversations.start(db, ada.id)) for _ in range(2))
    note = notes.add(db, ada.id, "Likes tea", author=NoteAuthor.USER)
    notes.edit(db, note, "Likes coffee", author=BY, **_where(second))
    for way in ("conversation", "message"):
        _erase(db, ada, first, way)
        _erase(db, eve, second, way)
    assert changes.list_own(db, ada.id, 1)[0].change.before == "Likes tea"


def _asked(db: Session, talk: Conversation) -> Message:
    return conversations.say(db, talk, Role.USER, "I like it")


def _where(message: Message) -> dict[str, UUID]:
    return {"conversation_id": message.conversation_id, "message_id": message.id}


def _erase(db: Session, owner: User, message: Message, way: str) -> None:
    if way == "conversation":
        notes.erase_of_conversation(db, owner.id, message.conversation_id)
    else:
        notes.erase_of_message(db, owner.id, message.id)
    db.expire_all()


def test_those_that_are_deleted_leave_room_and_are_bounded_apart(
    db: Session, ada: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(notes, "MOST_NOTES", 2)
    kept = [notes.add(db, ada.id, f"fact {number}", author=BY) for number in range(2)]
    notes.remove(db, kept[0], author=BY)
    notes.restore(db, kept[0], author=BY)
    notes.remove(db, kept[0], author=BY)
    more = notes.add(db, ada.id, "fact 2", author=BY)
    with pytest.raises(TooManyNotes):
        notes.restore(db, kept[0], author=BY)
    notes.remove(db, more, author=BY)
    with pytest.raises(TooManyDeleted):
        notes.add(db, ada.id, "fact 3", author=BY)
    assert imported_notes.add(db, ada.id, ["fact 4"]) == (0, 1)
    notes.remove(db, kept[1], author=BY)
    notes.restore(db, kept[0], author=BY)
    assert _words(db, ada) == ["fact 0"]


def test_a_deleted_note_is_restored_before_it_is_changed(db: Session, ada: User) -> None:
    note = notes.add(db, ada.id, "Likes tea", author=BY)
    notes.remove(db, note, author=BY)
    with pytest.raises(NoteDeleted):
        notes.edit(db, note, "Likes coffee", author=NoteAuthor.USER)
    notes.restore(db, note, author=BY)
    assert _words(db, ada) == ["Likes tea"]


def test_what_was_noted_again_is_not_restored_beside_it(db: Session, ada: User) -> None:
    note = notes.add(db, ada.id, "Likes tea", author=BY)
    notes.remove(db, note, author=BY)
    notes.add(db, ada.id, "likes TEA", author=BY)
    with pytest.raises(NotedAgain):
        notes.restore(db, note, author=BY)
    assert _words(db, ada) == ["likes TEA"]


@pytest.mark.parametrize("way", ["conversation", "message"])
@pytest.mark.parametrize("is_edited", [False, True])
def test_what_a_user_writes_too_is_theirs_and_stays(
    db: Session, ada: User, way: str, *, is_edited: bool
) -> None:
    said = _asked(db, conversations.start(db, ada.id))
    note = notes.add(db, ada.id, "Likes tea", author=BY, **_where(said))
    # The assistant's own words once more make it nobody else's.
    notes.edit(db, note, "Likes tea", author=BY)
    assert (note.author, note.message_id) == (BY, said.id)
    if is_edited:
        notes.edit(db, note, "Likes tea", author=NoteAuthor.USER)
    else:
        assert notes.add(db, ada.id, "likes tea", author=NoteAuthor.USER) is note
    _erase(db, ada, said, way)
    assert (_words(db, ada), note.author) == (["Likes tea"], NoteAuthor.USER)
