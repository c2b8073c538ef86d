"""States that were saved under another name, and conversations that are to leave no word behind."""

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest
from uuid_utils.compat import uuid7

from agent.files import CellFile
from agent.runtime import Runtime
from agent.state import DATABASE, SavedStates
from agent.state.layout import DATABASE_BEFORE
from agent.turn import Attachment, Exchange, Forgotten, Note, Profile, SavedState
from gateways.s3_files import Storage
from tests.agent.old_state import FINCHES, LOOMS, stored
from tests.agent.people import Person, TurnListener
from tests.agent.scripted_model import ScriptedModel, UseTool

pytestmark = [pytest.mark.engine, pytest.mark.timeout(420), pytest.mark.xdist_group("cells")]

ADA = Profile("Ada Lovelace", "Europe/Paris", "Understanding looms and engines")


@pytest.mark.long
def test_states_of_before_open_under_the_name_of_today(
    runtime: Runtime, model: ScriptedModel, storage: Storage
) -> None:
    ada = Person(runtime, ADA, conversation=LOOMS)
    ada.states = (stored(ada.id, storage),)
    model.will("Jacquard.")

    ada.say("What is my loom called?")

    assert "My loom is called Jacquard." in model.last_request
    assert "A short note about punched cards." in model.last_request
    assert "Ada's loom is called Jacquard" in model.last_request
    saved = {file.path for file in _files(storage, ada.states[:1])}
    assert DATABASE in saved
    assert DATABASE_BEFORE not in saved
    # And so it stays, wherever it is restored.
    runtime.discard(ada.id)
    ada.conversation = FINCHES
    model.will("Byron.")
    ada.say("And my finch?", saved=False)
    assert "My zebra finch is called Byron." in model.last_request
    runtime.discard(ada.id)


def test_a_forgotten_conversation_leaves_no_word_behind(
    runtime: Runtime, model: ScriptedModel, storage: Storage
) -> None:
    ada = Person(runtime, ADA)
    finch = Note(2, "has a finch", date(2026, 11, 2))
    ada.notes = (Note(1, "plays the theremin", date(2026, 11, 1)), finch)
    deleted, words = ada.conversation, "the xylograph is hidden"
    turn = ada.turn(words, attachments=(Attachment("map.txt", "text/plain", b"xylograph map"),))
    change = {"oldText": "<!-- Notes", "newText": "- likes maps\n<!-- Notes"}
    edit = UseTool("edit", {"path": "MEMORY.md", "edits": [change]})
    made = UseTool("write", {"path": "files/atlas.md", "content": "a gazetteer of the hills"})
    model.will(UseTool("read", {"path": "MEMORY.md"}), edit, made, "Ok.")
    runtime.run(turn, TurnListener(), ada.purse, ada.stop)
    noted = runtime.noted(ada.id)
    assert noted is not None
    assert (noted.added, noted.removed) == (("likes maps",), ())
    ada.save()
    ada.begin_conversation()
    told = Exchange(deleted, "Maps", words, "A fine xylograph.", datetime.now(UTC))
    ada.recent = (
        told,
        replace(told, conversation_id=uuid7(), asked="My cat is Byron.", answered="I see."),
    )
    model.will(UseTool("read", {"path": "MEMORY.md"}), "Good day.")
    ada.say("Good day! " + "So much to say. " * 300)
    ada.recent = ()
    assert "xylograph" in model.last_request
    for told in (b"xylograph", b"theremin"):
        assert any(told in file.data for file in _files(storage, ada.states[:1]))

    assert any(b"gazetteer" in file.data for file in _files(storage, ada.states[:1]))
    ada.notes = (finch,)
    forgotten = Forgotten((deleted,), (turn.job_id,), ("files/atlas.md",), ada.notes)
    saved = runtime.forget(ada.id, ada.states, forgotten, lambda: None)

    assert (saved.version, len(saved.packs)) == (ada.states[0].version + 1, 1)
    files = _files(storage, (saved,))
    for gone in (b"xylograph", b"map.txt", b"theremin", b"gazetteer"):
        assert [file.path for file in files if gone in file.data] == []
    assert any(b"\n- likes maps\n- #2 (2026-11-02) has a finch\n" in file.data for file in files)
    assert runtime.pid_of(ada.id) is None
    ada.states = (saved,)
    model.will("Here.")
    assert ada.say("Where were we?").text == "Here."
    assert "xylograph" not in model.last_request
    assert "theremin" not in model.last_request
    assert "has a finch" in model.last_request
    assert "So much to say." in model.last_request
    assert "My cat is Byron." in model.last_request
    assert "likes maps" in model.last_request
    assert not any(b"xylograph" in file.data for file in _files(storage, ada.states[:1]))


def _files(storage: Storage, states: tuple[SavedState, ...]) -> tuple[CellFile, ...]:
    return SavedStates(storage).get(states).files
