"""A real OpenClaw sees notes as they are now, and what it writes itself is lost to nobody."""

import pytest

from actions import memory as memory_actions
from models.chat import conversations
from models.database import unit_of_work
from models.memory import notes
from models.schema.chat import Conversation
from models.schema.memory import NoteAuthor
from models.schema.users import User
from tasks.worker import forgetting
from tests import scanning
from tests.agent.scripted_model import Pause, UseTool
from tests.agent.tools.talking import Talk

pytestmark = [pytest.mark.engine, pytest.mark.timeout(420), pytest.mark.xdist_group("cells")]


def test_a_note_is_in_the_next_prompt_hot_in_a_turn_and_cold(ada: Talk) -> None:
    ada.notes("Likes tea")
    assert "#1 (" in (asked := ada.asks("Hello"))
    assert "Likes tea" in asked
    # Hot.
    with unit_of_work() as db:
        note = notes.find_by_number(db, ada.user_id, 1)
        notes.edit(db, note, "Likes coffee", author=NoteAuthor.USER)
    asked = ada.asks("And now?")
    assert "Likes coffee" in asked
    assert "Likes tea" not in asked
    # In a turn, in which the assistant writes into the file, and changes the same note.
    change = {"oldText": "Likes coffee", "newText": "Likes cocoa\n- Owns a loom"}
    edit = UseTool("edit", {"path": "MEMORY.md", "edits": [change]})

    def while_it_writes(_delta: str) -> None:
        if "Has a cat" not in ada.known():
            with unit_of_work() as db:
                note = notes.find_by_number(db, ada.user_id, 1)
                notes.edit(db, note, "Likes water", author=NoteAuthor.USER)
            ada.notes("Has a cat")
            ada.model.go_on.set()

    ada.listener.on_text = while_it_writes
    ada.asks("Remember my loom.", edit, "I have ", Pause(), "noted it.")
    everything = {"Likes water", "Likes cocoa", "Owns a loom", "Has a cat"}
    assert ada.known() == everything
    asked = ada.asks("What do you know?")
    assert all(words in asked for words in everything)
    # Cold.
    ada.runtime.discard(ada.user_id)
    ada.notes("Plays the theremin")
    asked = ada.asks("And now?")
    assert all(words in asked for words in (*everything, "Plays the theremin"))


def test_it_notes_finds_and_takes_out_by_tools(ada: Talk) -> None:
    ada.asks("Remember it.", UseTool("my__remember", {"fact": "Is allergic to walnuts"}), "Done.")
    assert "Noted: #1." in str(ada.model.last_message)
    ada.conversation_id = None
    found = ada.asks("?", UseTool("my__search_history", {"query": "walnut allergy"}), "Yes.")
    assert "- note #1, " in found
    ada.asks("Forget it.", UseTool("my__forget", {"number": 1}), "Done.")
    assert ada.known() == set()
    assert "#1 (" not in ada.asks("What do you know?")


def test_a_conversation_that_is_not_to_be_remembered_leaves_nothing(ada: Talk) -> None:
    with unit_of_work() as db:
        secret = conversations.start(db, ada.user_id)
        conversations.remember(secret, is_remembered=False)
    ada.conversation_id = secret.id
    refused = ada.asks("It is a xylograph.", UseTool("my__remember", {"fact": "xylograph"}), "No.")
    assert "is not to be remembered" in refused
    written = {"path": "MEMORY.md", "content": "- xylograph"}
    ada.asks("Write it down then.", UseTool("write", written), "Done.")
    assert ada.known() == set()
    ada.conversation_id = None
    search = UseTool("my__search_history", {"query": "xylograph?"})
    assert "xylograph" not in ada.asks("Hello", search, "Hi.").replace("xylograph?", "")


def test_a_note_deleted_for_good_is_nowhere(ada: Talk) -> None:
    note_id = ada.notes("Plays the theremin")
    search = UseTool("my__search_history", {"query": "who plays"})
    assert "theremin" in ada.asks("Hello", UseTool("read", {"path": "MEMORY.md"}), search, "Hi.")

    with unit_of_work() as db:
        memory_actions.erase(db, ada.user_id, note_id)
    assert forgetting.carry_out(ada.process, ada.user_id)

    with unit_of_work() as db:
        user = db.get_one(User, ada.user_id)
        assert scanning.tables_with(db, ["theremin"]) == set()
        assert scanning.objects_with(db, ada.storage, user, ["theremin"]) == set()
        talk = db.get_one(Conversation, ada.conversation_id)
        assert talk.forgotten_at is None
    assert "theremin" not in ada.asks("What do I play?")
    assert "Hello" in ada.model.last_request
