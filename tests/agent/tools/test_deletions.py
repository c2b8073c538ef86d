"""What a user deletes is in no table, no object, no prompt and no tool's answer any more."""

from uuid import UUID

import pytest
from sqlalchemy import select

from actions import conversations as deletion
from actions.announcements import StreamPublisher
from models.database import unit_of_work
from models.schema.chat import Message, Role
from models.schema.uploads import SentFile
from models.schema.users import User
from tasks.worker import forgetting
from tests import scanning
from tests.agent.scripted_model import UseTool
from tests.agent.tools.talking import Talk

pytestmark = [pytest.mark.engine, pytest.mark.timeout(420), pytest.mark.xdist_group("cells")]

# In the user's words, the assistant's, a note, a list's reason, a file each way, and their names.
SECRET = "xylograph"
ATTIC = UseTool("my__search_history", {"query": "what is in the attic"})


def _told(ada: Talk) -> UUID:
    """Have it said in a conversation in every way there is, and told in another; return its id."""
    key = f"uploads/{ada.user_id}/attic"
    ada.storage.put(key, f"The {SECRET} is in the attic.".encode(), "text/plain")
    upload = SentFile(f"{SECRET}.txt", "text/plain", 32, key)
    ada.asks(
        f"My {SECRET} is in the attic.",
        UseTool("my__remember", {"fact": f"Keeps a {SECRET} in the attic"}),
        UseTool("write", {"path": f"files/{SECRET}.md", "content": f"The {SECRET}."}),
        UseTool("my__hand_over", {"path": f"files/{SECRET}.md", "title": SECRET}),
        f"What a fine {SECRET}.",
        files=[upload],
    )
    told = ada.conversation_id
    assert told is not None
    ada.asks("My finch is in the attic too.")
    ada.conversation_id = None
    assert SECRET in ada.asks("What do you know?", ATTIC, UseTool("read", {"path": "MEMORY.md"}))
    return told


def _places(ada: Talk) -> tuple[set[str], set[str]]:
    """Name the tables and the objects that have it."""
    with unit_of_work() as db:
        user = db.get_one(User, ada.user_id)
        return (
            scanning.tables_with(db, [SECRET]),
            scanning.objects_with(db, ada.storage, user, [SECRET]),
        )


@pytest.mark.parametrize("what", ["conversation", "message"])
def test_no_word_of_it_is_anywhere(ada: Talk, what: str) -> None:
    told, elsewhere = _told(ada), ada.conversation_id
    tables, objects = _places(ada)
    assert {"messages", "uploads", "memory_notes", "answer_files"} <= tables
    assert {f"uploads/{ada.user_id}/attic"} < objects
    saved = {name.partition(":")[2] for name in objects}
    assert {"agents/main/agent/openclaw-agent.sqlite", "workspace/MEMORY.md"} <= saved

    with unit_of_work() as db:
        user = db.get_one(User, ada.user_id)
        if what == "conversation":
            deletion.delete(db, user, told, StreamPublisher())
        else:
            first = select(Message.id).where(
                Message.conversation_id == told, Message.role == Role.USER
            )
            message = db.scalars(first.order_by(Message.id).limit(1)).one()
            deletion.delete_message(db, user, told, message, StreamPublisher())
    assert forgetting.carry_out(ada.process, ada.user_id)

    assert _places(ada) == (set(), set())
    reads = (ATTIC, UseTool("read", {"path": "MEMORY.md"}), UseTool("ls", {"path": "files"}))
    # Where it was told, in a new conversation, and in its own, of which a message is left.
    others: list[UUID | None] = [elsewhere, None]
    for talk in others if what == "conversation" else [*others, told]:
        ada.conversation_id = talk
        ada.asks("What is there?", *reads)
        assert [one for one in map(str, ada.model.requests) if SECRET in one.lower()] == []
        assert ("finch" in str(ada.model.requests)) == (what == "message")
    assert _places(ada) == (set(), set())
