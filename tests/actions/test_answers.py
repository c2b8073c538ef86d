"""What a user does with an answer, while or after what it answers is deleted."""

from collections.abc import Callable
from uuid import UUID

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from actions import answers, conversations, files
from actions.announcements import Publisher, StreamPublisher
from gateways.s3_files import Storage
from models import jobs
from models.base import new_id
from models.database import unit_of_work
from models.errors import Refused
from models.schema.failure_codes import FailureCode
from models.schema.jobs import Job
from models.schema.uploads import SentFile, Upload
from models.schema.users import User
from tests import factories
from tests.factories import MODEL
from tests.locks import raised_while

PUBLISHER = StreamPublisher()


@pytest.mark.parametrize(
    ("act", "code"),
    [
        (answers.retry, FailureCode.PROVIDER_DOWN),
        (answers.go_on, FailureCode.MESSAGE_LIMIT),
    ],
)
@pytest.mark.usefixtures("redis_url")
def test_what_is_deleted_meanwhile_is_not_asked_again(
    emptied: sa.Engine,
    act: Callable[[Session, User, UUID, Publisher], Job],
    code: FailureCode,
) -> None:
    with unit_of_work() as db:
        ada = factories.user(db, "ada@example.org")
        job = factories.running(db, ada, "Hello?")
        jobs.fail(db, job, code)

    def _delete(db: Session) -> None:
        assert job.message_id
        owner = db.get_one(User, ada.id)
        conversations.delete_message(db, owner, job.conversation_id, job.message_id, PUBLISHER)

    def _ask_again(db: Session) -> None:
        act(db, db.get_one(User, ada.id), job.id, PUBLISHER)

    assert isinstance(raised_while(emptied, _delete, _ask_again), Refused)


@pytest.mark.usefixtures("redis_url")
def test_a_message_of_which_nothing_is_left_is_not_asked_again(
    db: Session, ada: User, storage: Storage
) -> None:
    key = f"uploads/{ada.id}/{new_id()}"
    storage.put(key, b"x")
    sent = [SentFile("a.txt", "text/plain", 1, key)]
    job = jobs.ask(db, factories.conversation(db, ada), "", model=MODEL, files=sent)
    files.delete_upload(db, ada, db.scalars(sa.select(Upload.id)).one())
    assert db.get_one(Job, job.id, populate_existing=True).is_over
    with pytest.raises(jobs.NothingToSend):
        answers.retry(db, ada, job.id, PUBLISHER)
