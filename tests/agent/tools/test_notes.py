"""A real OpenClaw sees notes as they are now, and what it writes itself is lost to nobody."""

from collections.abc import Generator
from types import SimpleNamespace
from typing import cast
from uuid import UUID

import pytest
import sqlalchemy as sa

from actions import memory as memory_actions
from agent.runtime import Runtime
from gateways.s3_files import Storage
from models import ledger
from models.chat import conversations
from models.database import unit_of_work
from models.memory import notes
from models.ops import snapshots
from models.schema.chat import Conversation
from models.schema.jobs import Job
from models.schema.memory import NoteAuthor
from models.schema.users import User
from tasks.worker import build_turn, forgetting, noting
from tasks.worker.leased_jobs import LeasedJob
from tasks.worker.process import WorkerProcess
from tasks.worker.saving import snapshot_of
from tests import factories, scanning
from tests.agent.people import Purse, TurnListener
from tests.agent.scripted_model import Line, Pause, ScriptedModel, UseTool

pytestmark = [pytest.mark.engine, pytest.mark.timeout(420), pytest.mark.xdist_group("cells")]

MODEL = "compatible/scripted"


class Talk:
    """A user whose messages a worker answers: it prepares the turn, takes over, and saves."""

    def __init__(
        self, runtime: Runtime, storage: Storage, model: ScriptedModel, user_id: UUID
    ) -> None:
        self.runtime, self.storage, self.model = runtime, storage, model
        self.user_id = user_id
        self.process = cast(WorkerProcess, SimpleNamespace(runtime=runtime, storage=storage))
        self.conversation_id: UUID | None = None
        self.listener = TurnListener()

    def asks(self, words: str, *script: Line) -> str:
        """Have a message answered by the script; return what the last request had."""
        with unit_of_work() as db:
            user = db.get_one(User, self.user_id)
            job = factories.running(db, user, words, conversation_id=self.conversation_id)
            job.model = MODEL
        self.conversation_id = job.conversation_id
        turn = build_turn.prepare(self.storage, job.id, job.attempt)
        held = LeasedJob(job.id, job.user_id, job.conversation_id, job.attempt)
        self.model.will(*(script or ("Very well.",)))
        self.runtime.run(turn, self.listener, Purse(), held.stop)
        noting.take_over(self.process, held)
        with unit_of_work() as db:
            factories.answer(db, db.get_one(Job, job.id), "Very well.")
        saved = self.runtime.save(self.user_id)
        with unit_of_work() as db:
            ledger.lock_account(db, self.user_id)
            snapshots.add(db, snapshot_of(self.user_id, saved, job.id))
        return self.model.last_request

    def notes(self, words: str) -> UUID:
        """Note something by hand."""
        with unit_of_work() as db:
            return notes.add(db, self.user_id, words, author=NoteAuthor.USER).id

    def known(self) -> set[str]:
        with unit_of_work() as db:
            return {note.words for note in notes.list_own(db, self.user_id)}


@pytest.fixture
def ada(
    runtime: Runtime, storage: Storage, model: ScriptedModel, emptied: sa.Engine
) -> Generator[Talk]:
    assert emptied
    with unit_of_work() as db:
        user = factories.user(db, "ada@example.org", name="Ada")
    yield Talk(runtime, storage, model, user.id)
    runtime.discard(user.id)


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
