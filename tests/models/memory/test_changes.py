"""The last step of a note is taken back, whatever is deleted meanwhile."""

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from actions import conversations as acts
from actions.announcements import StreamPublisher
from models.database import unit_of_work
from models.memory import changes, notes
from models.memory.changes import EarlierWordsGone
from models.schema.memory import NoteAuthor
from models.schema.users import User
from tests import factories
from tests.locks import raised_while


@pytest.mark.usefixtures("redis_url")
def test_words_that_are_deleted_meanwhile_do_not_come_back(emptied: sa.Engine) -> None:
    with unit_of_work() as db:
        ada = factories.user(db, "ada@example.org")
        job = factories.running(db, ada, "I like tea")
        factories.answer(db, job)
        said = {"conversation_id": job.conversation_id, "message_id": job.message_id}
        note = notes.add(db, ada.id, "Likes tea", author=NoteAuthor.ASSISTANT, **said)
        notes.edit(db, note, "Likes coffee", author=NoteAuthor.USER)
        step = changes.list_own(db, ada.id, 1)[0].change.id

    def _delete(db: Session) -> None:
        acts.delete(db, db.get_one(User, ada.id), job.conversation_id, StreamPublisher())

    def _undo(db: Session) -> None:
        changes.undo(db, ada.id, step)

    assert isinstance(raised_while(emptied, _delete, _undo), EarlierWordsGone)
    with unit_of_work() as db:
        assert [one.words for one in notes.list_own(db, ada.id)] == ["Likes coffee"]
