"""A note says again what it said elsewhere, when what it says now is deleted."""

from uuid import UUID

import pytest
from sqlalchemy.orm import Session

from models.chat import conversations, erasures
from models.memory import changes, notes
from models.schema.chat import Message, Role
from models.schema.memory import MemoryNote, NoteAction, NoteAuthor
from models.schema.users import User

BY, HAND = NoteAuthor.ASSISTANT, NoteAuthor.USER
WAYS = pytest.mark.parametrize("way", ["conversation", "message"])


def _said(db: Session, user: User) -> Message:
    return conversations.say(db, conversations.start(db, user.id), Role.USER, "I like it")


def _where(message: Message) -> dict[str, UUID]:
    return {"conversation_id": message.conversation_id, "message_id": message.id}


def _erase(db: Session, owner: User, message: Message, way: str) -> None:
    if way == "conversation":
        notes.erase_of_conversation(db, owner.id, message.conversation_id)
    else:
        notes.erase_of_message(db, owner.id, message.id)
    db.expire_all()


def _live(db: Session, owner: User) -> list[tuple[str, NoteAuthor, UUID | None]]:
    found = notes.list_own(db, owner.id)
    return [(one.words, one.author, one.message_id) for one in found]


def _steps(db: Session, owner: User) -> list[tuple[NoteAction, str | None]]:
    return [(one.change.action, one.change.before) for one in changes.list_own(db, owner.id, 9)]


def _undo(db: Session, owner: User) -> MemoryNote:
    return changes.undo(db, owner.id, changes.list_own(db, owner.id, 1)[0].change.id)


@WAYS
def test_what_a_user_wrote_comes_back(db: Session, ada: User, way: str) -> None:
    said = _said(db, ada)
    note = notes.add(db, ada.id, "Likes tea", author=HAND)
    for words in ("Likes green tea", "Likes a secret tea"):
        notes.edit(db, note, words, author=BY, **_where(said))
    _erase(db, ada, said, way)
    assert _live(db, ada) == [("Likes tea", HAND, None)]
    assert _steps(db, ada) == [(NoteAction.ADDED, None)]
    # Saved files are drawn anew.
    assert [one.conversation_id for one in erasures.pending(db, ada.id)] == [None]


@WAYS
def test_what_was_said_elsewhere_comes_back_and_goes_with_that(
    db: Session, ada: User, way: str
) -> None:
    first, second = _said(db, ada), _said(db, ada)
    note = notes.add(db, ada.id, "Likes tea", author=BY, **_where(first))
    notes.edit(db, note, "Likes coffee", author=BY, **_where(second))
    _erase(db, ada, second, way)
    assert _live(db, ada) == [("Likes tea", BY, first.id)]
    _erase(db, ada, first, way)
    assert _live(db, ada) == []


@WAYS
def test_what_was_taken_back_does_not_come_back(db: Session, ada: User, way: str) -> None:
    first, second = _said(db, ada), _said(db, ada)
    note = notes.add(db, ada.id, "Likes tea", author=HAND)
    notes.edit(db, note, "Likes coffee", author=BY, **_where(first))
    _undo(db, ada)
    notes.edit(db, note, "Likes cocoa", author=BY, **_where(second))
    _erase(db, ada, second, way)
    assert _live(db, ada) == [("Likes tea", HAND, None)]
    assert _steps(db, ada) == [
        (NoteAction.EDITED, "Likes coffee"),
        (NoteAction.EDITED, "Likes tea"),
        (NoteAction.ADDED, None),
    ]


@WAYS
def test_a_deleted_note_stays_deleted_and_is_restored_as_it_was(
    db: Session, ada: User, eve: User, way: str
) -> None:
    said = _said(db, ada)
    note = notes.add(db, ada.id, "Likes tea", author=HAND)
    notes.edit(db, note, "Likes a secret", author=BY, **_where(said))
    notes.remove(db, note, author=HAND)
    _erase(db, eve, said, way)
    assert note.words == "Likes a secret"
    _erase(db, ada, said, way)
    assert _live(db, ada) == []
    assert _undo(db, ada).words == "Likes tea"
