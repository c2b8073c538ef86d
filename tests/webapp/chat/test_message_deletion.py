"""A message is deleted with its answer, files and notes, and nobody deletes another's."""

from uuid import UUID

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from gateways.s3_files import Storage
from models import jobs
from models.archives import imported
from models.archives.imported import SaidElsewhere
from models.base import utc_now
from models.channels import accounts, deliveries
from models.chat import erasures, sources
from models.chat.sources import Page
from models.memory import notes
from models.schema.channels import Delivery, DeliveryStatus
from models.schema.chat import Conversation, Message, Role
from models.schema.jobs import Job, JobStatus
from models.schema.memory import NoteAuthor
from models.schema.model_calls import ModelCall
from models.schema.uploads import SentFile
from models.schema.users import User
from tests import factories, scanning
from tests.factories import MODEL
from tests.handed_over import handed_over
from tests.webapp.browser import Browser

SECRET = "xylograph"


def _answered(db: Session, owner: User, conversation: Conversation, words: str) -> Job:
    file = SentFile(f"{words}.txt", "text/plain", 9, f"uploads/{owner.id}/{words}")
    jobs.ask(db, conversation, f"About a {words}", files=[file], model=MODEL)
    claimed = factories.claim(db)
    assert claimed is not None
    factories.answer(db, claimed, f"A fine {words}.")
    return claimed


def _path(job: Job) -> str:
    return f"/chat/{job.conversation_id}/messages/{job.message_id}/deletion"


def _words(db: Session, conversation_id: UUID) -> list[str]:
    said = select(Message.text).where(Message.conversation_id == conversation_id)
    return list(db.scalars(said.order_by(Message.id)))


def test_no_table_and_no_object_has_a_word_of_it(
    adas: Browser, db: Session, ada: User, storage: Storage
) -> None:
    conversation = factories.conversation(db, ada)
    secret, other = (_answered(db, ada, conversation, one) for one in (SECRET, "walnut"))
    storage.put(f"uploads/{ada.id}/{SECRET}", SECRET.encode(), "text/plain")
    said = {"conversation_id": conversation.id, "message_id": secret.message_id}
    notes.add(db, ada.id, f"Has a {SECRET}", author=NoteAuthor.ASSISTANT, **said)
    made = handed_over(db, secret, SECRET.encode(), f"files/{SECRET}.md")
    made_at, made_key = made.path, made.storage_key
    found = [Page(f"https://{SECRET}.example/{n}", f"All on a {SECRET}") for n in range(2)]
    sources.note(db, secret, found, is_read=False)
    # A provider may repeat what it refuses.
    call_id = factories.charge(db, secret, 5)
    db.get_one(ModelCall, call_id).detail = f"No {SECRET} here."
    db.commit()
    known = {"messages", "uploads", "conversations", "memory_notes", "answer_files"}
    known |= {"answer_sources", "model_calls"}
    assert known <= scanning.tables_with(db, [SECRET])
    link = f'href="{_path(secret)}"'
    assert link in adas.read(f"/chat/{conversation.id}")
    assert SECRET in adas.read(_path(secret))

    assert adas.post(_path(secret)).status_code == 303

    db.expire_all()
    # The path is kept until the saved files have forgotten what lies there.
    assert scanning.tables_with(db, [SECRET]) == {"erasures"}
    assert [one.paths for one in erasures.pending(db, ada.id) if one.job_id] == [[made_at]]
    assert scanning.objects_with(db, storage, ada, [SECRET]) == set()
    assert made_key not in storage.list(f"answers/{ada.id}/")
    assert _words(db, conversation.id) == ["About a walnut", "A fine walnut."]
    assert sources.list_all(db, secret) == []
    assert conversation.title == "About a walnut"
    assert conversation.forgotten_at is not None
    asked = [(one.conversation_id, one.job_id) for one in erasures.pending(db, ada.id)]
    assert (conversation.id, secret.id) in asked
    assert erasures.jobs_of(db, erasures.pending(db, ada.id)) == [secret.id]
    assert other.message_id is not None
    assert f"A fine {SECRET}" not in adas.read(f"/chat/{conversation.id}")


def test_one_that_waits_is_called_off_and_one_that_runs_is_not_deleted(
    adas: Browser, db: Session, ada: User
) -> None:
    running = factories.running(db, ada, "Being answered")
    waiting = factories.job(db, ada, "Waiting")
    db.commit()
    assert adas.post(_path(running)).status_code == 422
    assert adas.post(_path(waiting)).status_code == 303
    db.expire_all()
    assert waiting.status is JobStatus.CANCELLED
    assert _words(db, waiting.conversation_id) == []
    assert _words(db, running.conversation_id) == ["Being answered"]


@pytest.mark.parametrize("whose", ["eves", "an_answer", "of_another_conversation"])
def test_only_ones_own_question_is_deleted(
    whose: str, adas: Browser, db: Session, ada: User, eve: User
) -> None:
    owner = eve if whose == "eves" else ada
    job = _answered(db, owner, factories.conversation(db, owner), "loom")
    db.commit()
    path = _path(job)
    if whose == "an_answer":
        answer = db.scalars(select(Message.id).where(Message.role == Role.ASSISTANT)).one()
        path = path.replace(str(job.message_id), str(answer))
    elif whose == "of_another_conversation":
        elsewhere = factories.conversation(db, ada)
        db.commit()
        path = path.replace(str(job.conversation_id), str(elsewhere.id))
    assert adas.get(path).status_code == 404
    assert adas.post(path).status_code == 404
    assert len(_words(db, job.conversation_id)) == 2


def test_what_came_with_an_archive_goes_with_its_answer(
    adas: Browser, db: Session, ada: User
) -> None:
    said = [
        SaidElsewhere(role, f"{role}, {words}", utc_now())
        for words in (SECRET, "walnut")
        for role in (Role.USER, Role.ASSISTANT)
    ]
    conversation = imported.add_conversation(db, ada.id, "Brought", said)
    later = _answered(db, ada, conversation, "loom")
    asked = select(Message.id).where(Message.text == f"user, {SECRET}")
    path = f"/chat/{conversation.id}/messages/{db.scalars(asked).one()}/deletion"
    db.commit()
    assert adas.post(path).status_code == 303
    db.expire_all()
    assert _words(db, conversation.id)[:2] == ["user, walnut", "assistant, walnut"]
    # It was told to the assistant: that forgets the conversation, and no file of other messages.
    wanted = erasures.pending(db, ada.id)
    assert [one.conversation_id for one in wanted] == [conversation.id]
    assert later.id not in erasures.jobs_of(db, wanted)


def test_an_answer_that_a_messenger_has_not_got_yet_is_not_sent(
    adas: Browser, db: Session, ada: User
) -> None:
    job = _answered(db, ada, factories.conversation(db, ada), SECRET)
    accounts.link(db, ada.id, "pigeon", "bird", "bird", "Pigeon")
    account = accounts.list_own(db, ada.id)[0]
    deliveries.expect_answer(db, account, job)
    db.commit()
    assert adas.post(_path(job)).status_code == 303
    db.expire_all()
    assert [one.status for one in db.scalars(select(Delivery))] == [DeliveryStatus.CANCELLED]
