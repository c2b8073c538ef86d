"""What a conversation is told of others, and of itself when a message of it was deleted."""

from uuid import UUID

from sqlalchemy.orm import Session

from models.chat import context, conversations, message_deletion
from models.schema.chat import Conversation
from models.schema.jobs import Job
from models.schema.snapshots import StateSnapshot
from models.schema.users import User
from tests import factories


def _answered(db: Session, owner: User, words: str, conversation_id: UUID | None = None) -> Job:
    job = factories.running(db, owner, words, conversation_id=conversation_id)
    factories.answer(db, job, "I see.")
    return job


def _told(db: Session, owner: User, here: UUID, saved: StateSnapshot | None = None) -> list[str]:
    found = context.recent(db, owner.id, here, saved=saved, limit=20)
    return [one.asked for one in found]


def test_what_is_not_to_be_remembered_is_told_nowhere(db: Session, ada: User) -> None:
    secret = _answered(db, ada, "Between us").conversation_id
    _answered(db, ada, "Tell everybody")
    conversations.remember(db.get_one(Conversation, secret), is_remembered=False)
    db.flush()
    assert _told(db, ada, conversations.start(db, ada.id).id) == ["Tell everybody"]
    # In itself an answer that was lost is told all the same.
    assert _told(db, ada, secret) == ["Between us", "Tell everybody"]


def test_what_is_left_is_told_once_after_a_message_was_deleted(db: Session, ada: User) -> None:
    first = _answered(db, ada, "My loom")
    here = first.conversation_id
    gone = _answered(db, ada, "My secret", here)
    last = _answered(db, ada, "My finch", here)
    saved = StateSnapshot(user_id=ada.id, version=1, packs=[], size_bytes=1, job_id=last.id)
    db.add(saved)
    db.flush()
    assert _told(db, ada, here, saved) == []

    message = message_deletion.find_own(db, ada.id, here, UUID(str(gone.message_id)))
    message_deletion.erase(db, message, message_deletion.jobs_of(db, message))
    db.flush()
    assert _told(db, ada, here, saved) == ["My loom", "My finch"]

    latest = _answered(db, ada, "Where were we?", here)
    saved.job_id = latest.id
    db.flush()
    assert _told(db, ada, here, saved) == []
