"""Conversations: finding, naming, paging, deleting, and what is remembered of them."""

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from models import jobs
from models.base import new_id
from models.chat import context, conversations, uploads
from models.database import unit_of_work
from models.errors import NotFound
from models.ops import snapshots
from models.ops.snapshots import StaleState
from models.schema.chat import Conversation, Message
from models.schema.jobs import Job
from models.schema.snapshots import Pack, StateSnapshot
from models.schema.uploads import SentFile
from models.schema.users import User
from tests import factories
from tests.factories import MODEL
from tests.locks import raised_while


def test_nobody_finds_what_is_anothers(db: Session, ada: User, eve: User) -> None:
    job = factories.job(db, ada)
    conversations.find_own(db, ada.id, job.conversation_id)

    with pytest.raises(NotFound):
        conversations.find_own(db, eve.id, job.conversation_id)
    with pytest.raises(NotFound):
        jobs.find_own(db, eve.id, job.id)
    assert conversations.list_own(db, eve.id) == []


def test_the_first_message_names_the_conversation(db: Session, ada: User) -> None:
    conversation = factories.conversation(db, ada)
    jobs.ask(db, conversation, "What should I plant " * 10, model=MODEL)
    assert conversation.title.startswith("What should I plant")
    assert len(conversation.title) <= 61


@pytest.mark.parametrize("title", ["", "   ", "x" * 81])
def test_bad_titles_are_refused(db: Session, ada: User, title: str) -> None:
    conversation = factories.conversation(db, ada)
    with pytest.raises(conversations.BadTitle):
        conversations.rename(conversation, title)


def test_what_is_deleted_meanwhile_gets_no_other_name(emptied: sa.Engine) -> None:
    with unit_of_work() as db:
        ada = factories.user(db, "ada@example.org")
        talk = factories.conversation(db, ada)

    def _erase(db: Session) -> None:
        conversations.erase(db, conversations.find_own(db, ada.id, talk.id))
        db.flush()

    def _rename(db: Session) -> None:
        conversations.rename(conversations.find_own(db, ada.id, talk.id), "A secret")

    assert isinstance(raised_while(emptied, _erase, _rename), NotFound)
    with unit_of_work() as db:
        assert db.get_one(Conversation, talk.id).title == ""


def test_erasing_leaves_no_text_and_names_the_files(db: Session, ada: User) -> None:
    conversation = factories.conversation(db, ada)
    file = SentFile("a.txt", "text/plain", 3, f"uploads/{new_id()}")
    job = jobs.ask(db, conversation, "Secret plans", model=MODEL, files=[file])
    jobs.stop(db, job)

    keys = conversations.erase(db, conversation)

    assert keys == [file.storage_key]
    assert db.scalar(sa.select(sa.func.count(Message.id))) == 0
    with pytest.raises(NotFound):
        conversations.find_own(db, ada.id, conversation.id)


def test_an_upload_is_found_only_by_its_owner(db: Session, ada: User, eve: User) -> None:
    file = SentFile("a.txt", "text/plain", 3, f"uploads/{new_id()}")
    job = jobs.ask(db, factories.conversation(db, ada), "", model=MODEL, files=[file])
    upload = db.get_one(Message, job.message_id).uploads[0]

    assert uploads.find_own(db, ada.id, upload.id) is upload
    with pytest.raises(NotFound):
        uploads.find_own(db, eve.id, upload.id)


def answered(db: Session, owner: User, asked: str, answer: str) -> Job:
    job = factories.running(db, owner, asked)
    factories.answer(db, job, answer, "")
    return job


def saved(
    db: Session, owner: User, job: Job, version: int, base: str = "base.pack"
) -> StateSnapshot:
    snapshot = StateSnapshot(
        user_id=owner.id,
        version=version,
        packs=[Pack(key=key, sha256="0" * 64, size_bytes=1) for key in (base, f"{version}.pack")],
        size_bytes=1,
        job_id=job.id,
    )
    snapshots.add(db, snapshot)
    return snapshot


def test_other_conversations_are_remembered_and_nobody_elses(
    db: Session, ada: User, eve: User
) -> None:
    told = answered(db, ada, "My dog is Rex", "Noted.")
    answered(db, eve, "My cat is Tom", "Noted.")
    snapshot = saved(db, ada, told, 1)
    elsewhere = factories.conversation(db, ada)

    known = context.recent(db, ada.id, elsewhere.id, saved=snapshot, limit=8)
    assert [(one.asked, one.answered) for one in known] == [("My dog is Rex", "Noted.")]
    # Told once, at the beginning: what stands in front of a conversation stays as it was.
    begun = answered(db, ada, "Hello", "Hello.")
    second = saved(db, ada, begun, 2)
    assert context.recent(db, ada.id, begun.conversation_id, saved=second, limit=8) == []
    assert context.recent(db, ada.id, told.conversation_id, saved=second, limit=8) == []


def test_what_the_saved_files_lack_is_remembered_too(db: Session, ada: User) -> None:
    told = answered(db, ada, "My dog is Rex", "Noted.")
    snapshot = saved(db, ada, told, 1)
    conversation = conversations.find_own(db, ada.id, told.conversation_id)
    lost = jobs.ask(db, conversation, "And he is three", model=MODEL)
    claimed = factories.claim(db)
    assert claimed is not None
    factories.answer(db, claimed, "Three, noted.", "")

    known = context.recent(db, ada.id, lost.conversation_id, saved=snapshot, limit=8)
    assert [one.asked for one in known] == ["And he is three"]


def test_nobody_is_given_anothers_files(db: Session, ada: User, eve: User) -> None:
    snapshot = saved(db, ada, answered(db, ada, "Hello", "Hello."), 1)

    assert snapshots.newest(db, ada.id) == [snapshot]
    assert snapshots.newest(db, eve.id) == []


def test_only_who_follows_the_newest_version_may_save(db: Session, ada: User) -> None:
    job = answered(db, ada, "Hello", "Hello.")
    saved(db, ada, job, 1)
    with pytest.raises(StaleState):
        saved(db, ada, job, 1)
    with pytest.raises(StaleState):
        saved(db, ada, job, 3)


def test_old_versions_are_known_until_their_keys_are_deleted(db: Session, ada: User) -> None:
    job = answered(db, ada, "Hello", "Hello.")
    for version in range(1, 6):
        saved(db, ada, job, version, base="old base" if version == 1 else "base.pack")

    old = snapshots.superseded(db, ada.id)
    assert old.keys == ("1.pack", "2.pack", "old base")
    assert snapshots.superseded(db, ada.id) == old
    snapshots.forget(db, old.ids)
    assert snapshots.superseded(db, ada.id).ids == ()
    assert [one.version for one in snapshots.newest(db, ada.id, limit=9)] == [5, 4, 3]
