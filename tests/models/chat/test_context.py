"""What a conversation is told of others, and of itself when a message of it was deleted."""

from uuid import UUID

import pytest
from sqlalchemy.orm import Session

from models import database, jobs
from models.chat import context, conversations, message_deletion
from models.schema.chat import Conversation, Role
from models.schema.failure_codes import FailureCode
from models.schema.jobs import Job
from models.schema.snapshots import StateSnapshot
from models.schema.users import User
from tests import factories


def _answered(db: Session, owner: User, words: str, conversation_id: UUID | None = None) -> Job:
    job = factories.running(db, owner, words, conversation_id=conversation_id)
    factories.answer(db, job, "I see.")
    return job


def _saved(db: Session, job: Job) -> StateSnapshot:
    """Note that the files were saved after this job, in a transaction that began after its end."""
    saved = StateSnapshot(
        user_id=job.user_id,
        version=1,
        packs=[],
        size_bytes=1,
        job_id=job.id,
        created_at=database.clock(db),
    )
    db.add(saved)
    db.flush()
    return saved


def _save_again(db: Session, saved: StateSnapshot, job: Job) -> None:
    saved.job_id, saved.created_at = job.id, database.clock(db)
    db.flush()


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
    saved = _saved(db, last)
    assert _told(db, ada, here, saved) == []

    _delete(db, ada, gone)
    assert _told(db, ada, here, saved) == ["My loom", "My finch"]

    latest = _answered(db, ada, "Where were we?", here)
    _save_again(db, saved, latest)
    assert _told(db, ada, here, saved) == []


@pytest.fixture
def left(db: Session, ada: User) -> tuple[UUID, StateSnapshot]:
    """A conversation of which a message was deleted, and the files as they were saved before."""
    here = _answered(db, ada, "My loom").conversation_id
    gone = _answered(db, ada, "My secret", here)
    saved = _saved(db, gone)
    _delete(db, ada, gone)
    assert _told(db, ada, here, saved) == ["My loom"]
    return here, saved


def test_an_answer_that_was_begun_before_the_deletion_tells_nothing(db: Session, ada: User) -> None:
    here = _answered(db, ada, "My loom").conversation_id
    gone = _answered(db, ada, "My secret", here)
    running = factories.running(db, ada, "My finch", conversation_id=here)
    _delete(db, ada, gone)
    factories.answer(db, running)
    saved = _saved(db, running)
    assert _told(db, ada, here, saved) == ["My loom", "My finch"]


def test_a_reminder_that_is_said_there_tells_nothing(
    db: Session, ada: User, left: tuple[UUID, StateSnapshot]
) -> None:
    here, saved = left
    conversations.say(db, db.get_one(Conversation, here), Role.ASSISTANT, "Call mum")
    assert _told(db, ada, here, saved) == ["My loom"]


def test_what_a_turn_was_told_is_told_anew_until_it_is_saved(
    db: Session, ada: User, left: tuple[UUID, StateSnapshot]
) -> None:
    here, saved = left
    later = _answered(db, ada, "Where were we?", here)
    assert _told(db, ada, here, saved) == ["My loom", "Where were we?"]
    _save_again(db, saved, later)
    assert _told(db, ada, here, saved) == []


def test_a_turn_that_failed_with_a_part_may_have_lost_what_it_was_told(
    db: Session, ada: User, left: tuple[UUID, StateSnapshot]
) -> None:
    here, saved = left
    job = factories.running(db, ada, "Where were we?", conversation_id=here)
    jobs.fail(db, job, FailureCode.TIME_LIMIT, was_shown=True, answer="We were")
    assert _told(db, ada, here, saved) == ["My loom", "Where were we?"]
    # Its cell was ended; one that came after is saved.
    _save_again(db, saved, _answered(db, ada, "Something else"))
    db.flush()
    assert _told(db, ada, here, saved) == ["My loom", "Where were we?"]


def _delete(db: Session, owner: User, job: Job) -> None:
    assert job.message_id
    message = message_deletion.find_own(db, owner.id, job.conversation_id, job.message_id)
    message_deletion.erase(db, message, message_deletion.jobs_of(db, message))
    db.flush()


def test_an_answer_is_told_though_an_earlier_attempt_at_it_was_saved(
    db: Session, ada: User
) -> None:
    job = factories.running(db, ada, "My cat is called Schubert")
    jobs.requeue(db, job)
    saved = _saved(db, job)
    again = factories.claim(db)
    assert again is not None
    factories.answer(db, again, "A fine name.")

    [told] = context.recent(db, ada.id, job.conversation_id, saved=saved, limit=8)
    assert told.answered == "A fine name."
