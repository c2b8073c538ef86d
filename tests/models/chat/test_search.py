"""What was said or noted is found by any of its words, in any form, and by nobody else."""

from pathlib import Path

import pytest
from sqlalchemy.orm import Session

from models.chat import conversations, search
from models.memory import notes
from models.schema.chat import Conversation, Role
from models.schema.memory import NoteAuthor
from models.schema.users import User

PAIRS = [line.split(" | ") for line in (Path(__file__).parent / "recall.txt").open()]
HITS = 5
LEAST_SHARE = 0.9


def _say(db: Session, owner: User, words: str) -> Conversation:
    conversation = conversations.start(db, owner.id)
    conversations.say(db, conversation, Role.USER, words)
    return conversation


def _found(db: Session, user: User, words: str) -> list[str]:
    return [one.excerpt for one in search.search(db, user, words, most=HITS)]


@pytest.mark.parametrize("way", ["said", "noted"])
def test_nine_of_ten_questions_find_their_fact_among_the_first_five(
    way: str, db: Session, ada: User, capsys: pytest.CaptureFixture[str]
) -> None:
    facts = [fact for fact, _ in PAIRS]
    assert len(set(facts)) == len(PAIRS) == 200
    for fact in facts:
        if way == "said":
            _say(db, ada, f"By the way: {fact}. Thank you!")
        else:
            notes.add(db, ada.id, fact, author=NoteAuthor.ASSISTANT)
    missed = [
        question
        for fact, question in PAIRS
        if not any(fact in one for one in _found(db, ada, question.strip()))
    ]
    share = 1 - len(missed) / len(PAIRS)
    with capsys.disabled():
        print(f"\n{share:.1%} of 200 questions found what was {way}; not: {missed}")  # noqa: T201
    assert share >= LEAST_SHARE


def test_the_first_search_of_a_new_user_finds_forms_of_words_too(db: Session, ada: User) -> None:
    _say(db, ada, "I am allergic to walnuts")
    for words in ("walnut allergies", "allergic to a walnut?", "zzz walnut"):
        assert _found(db, ada, words) == ["I am allergic to walnuts"]


def test_words_have_the_forms_of_the_users_language(db: Session, ada: User) -> None:
    _say(db, ada, "Die Häuser meiner Tanten stehen in Jena")
    assert _found(db, ada, "Tante") == []
    ada.locale = "de"
    assert len(_found(db, ada, "Haus der Tante")) == 1


def test_nobody_finds_what_is_anothers(db: Session, ada: User, eve: User) -> None:
    _say(db, eve, "My walnut tree")
    notes.add(db, eve.id, "Has a walnut tree", author=NoteAuthor.USER)
    assert _found(db, ada, "walnut") == []


def test_what_is_not_to_be_remembered_is_found_there_alone(db: Session, ada: User) -> None:
    here = _say(db, ada, "My walnut tree")
    conversations.remember(here, is_remembered=False)
    db.flush()
    assert search.search(db, ada, "walnut") == []
    assert len(search.search(db, ada, "walnut", here=here.id)) == 1


def test_what_was_deleted_is_not_found(db: Session, ada: User) -> None:
    note = notes.add(db, ada.id, "Has a walnut tree", author=NoteAuthor.USER)
    conversations.erase(db, _say(db, ada, "My walnut tree"))
    notes.remove(db, note, author=NoteAuthor.USER)
    assert _found(db, ada, "walnut") == []
