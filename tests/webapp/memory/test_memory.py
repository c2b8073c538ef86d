"""The page of memory works without scripts, for its user alone, and takes back what was done."""

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from models.memory import notes
from models.schema.memory import MemoryChange, MemoryNote, NoteAuthor
from models.schema.users import User
from tests.webapp.browser import Browser


def _note(db: Session, owner: User, words: str = "Allergic to walnuts") -> MemoryNote:
    return notes.add(db, owner.id, words, author=NoteAuthor.ASSISTANT)


def _words(db: Session, owner: User) -> list[str]:
    db.expire_all()
    return [one.words for one in notes.list_own(db, owner.id)]


def test_a_note_is_added_changed_deleted_and_restored(
    adas: Browser, db: Session, ada: User
) -> None:
    assert "Nothing yet" in adas.read("/memory")
    adas.post("/memory", {"words": " I like\r\ntea "})
    assert _words(db, ada) == ["I like tea"]
    note = notes.list_own(db, ada.id)[0]
    adas.post(f"/memory/{note.id}", {"words": "I like coffee"})
    assert "Before: I like tea" in adas.read("/memory")
    adas.post(f"/memory/{note.id}/deletion")
    assert _words(db, ada) == []
    for words in (["I like coffee"], []):
        newest = db.scalars(select(MemoryChange.id).order_by(MemoryChange.id.desc())).first()
        adas.post(f"/memory/changes/{newest}/undo")
        assert _words(db, ada) == words
    first = db.scalars(select(MemoryChange.id).order_by(MemoryChange.id)).first()
    assert adas.post(f"/memory/changes/{first}/undo").status_code == 422


def test_a_note_is_found_by_any_form_of_a_word(adas: Browser, db: Session, ada: User) -> None:
    _note(db, ada)
    _note(db, ada, "Has two cats")
    page = adas.read("/memory?q=allergy%20to%20a%20walnut")
    assert page.count('id="memory-note-') == 1
    assert "No note has" in adas.read("/memory?q=zebra")


@pytest.mark.parametrize("words", ["", " ", "x" * 501, "a\0b"])
def test_a_bad_note_is_refused_and_kept_in_the_form(
    words: str, adas: Browser, db: Session, ada: User
) -> None:
    assert adas.post("/memory", {"words": words}).status_code == 422
    assert _words(db, ada) == []


def test_what_one_wants_help_with_is_changed(adas: Browser, db: Session, ada: User) -> None:
    adas.post("/memory/about", {"needs": "My looms"})
    db.expire_all()
    assert ada.needs == "My looms"
    assert adas.post("/memory/about", {"needs": "x" * 4001}).status_code == 422


@pytest.mark.parametrize("way", ["", "/deletion", "/erasure"])
def test_nobody_reaches_anothers_note(way: str, adas: Browser, db: Session, eve: User) -> None:
    note = _note(db, eve, "A secret of Eve's")
    assert adas.get(f"/memory/{note.id}").status_code == 404
    assert adas.post(f"/memory/{note.id}{way}", {"words": "Mine"}).status_code == 404
    assert "of Eve" not in adas.read("/memory?q=secret")
    assert _words(db, eve) == ["A secret of Eve's"]


def test_nobody_takes_anothers_change_back(
    adas: Browser, db: Session, ada: User, eve: User
) -> None:
    # Both call theirs by the same number.
    _note(db, ada)
    _note(db, eve, "A secret of Eve's")
    change = db.scalars(select(MemoryChange.id).where(MemoryChange.user_id == eve.id)).one()
    assert adas.post(f"/memory/changes/{change}/undo").status_code == 404
    assert _words(db, eve) == ["A secret of Eve's"]


def test_what_is_deleted_for_good_leaves_no_word(adas: Browser, db: Session, ada: User) -> None:
    note = _note(db, ada)
    adas.post(f"/memory/{note.id}", {"words": "Allergic to nuts"})
    adas.post(f"/memory/{note.id}/erasure")
    db.expire_all()
    assert db.scalars(select(MemoryNote)).all() == []
    assert db.scalars(select(MemoryChange)).all() == []


def test_a_deleted_note_is_not_changed_until_it_is_restored(
    adas: Browser, db: Session, ada: User
) -> None:
    note = _note(db, ada)
    adas.post(f"/memory/{note.id}/deletion")
    page = adas.read(f"/memory/{note.id}")
    assert "undo the deletion first" in page
    assert "<textarea" not in page
    refused = adas.post(f"/memory/{note.id}", {"words": "Allergic to nuts"})
    assert refused.status_code == 422
    assert "undo the deletion first" in refused.text
    newest = db.scalars(select(MemoryChange.id).order_by(MemoryChange.id.desc())).first()
    adas.post(f"/memory/changes/{newest}/undo")
    assert _words(db, ada) == ["Allergic to walnuts"]


def test_where_all_notes_are_taken_a_deletion_can_be_undone(
    adas: Browser, db: Session, ada: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(notes, "MOST_NOTES", 2)
    note = _note(db, ada)
    _note(db, ada, "Has two cats")
    adas.post(f"/memory/{note.id}/deletion")
    newest = db.scalars(select(MemoryChange.id).order_by(MemoryChange.id.desc())).first()
    assert adas.post(f"/memory/changes/{newest}/undo").status_code == 303
    assert len(_words(db, ada)) == 2
