"""An archive ends when its user deletes something that is in it, and nobody else's does."""

from collections.abc import Callable
from datetime import timedelta
from uuid import UUID

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from actions import attachments, conversations, files, memory
from actions.announcements import StreamPublisher
from actions.archives import ending
from gateways.s3_files import Storage, StorageFailed
from models.archives import exports, imported
from models.archives.imported import StoredImport
from models.base import utc_now
from models.database import NoConnection
from models.memory import notes
from models.schema.archives import Export, ExportStatus, ImportedFile
from models.schema.jobs import Job
from models.schema.memory import NoteAuthor
from models.schema.uploads import SentFile, Upload
from models.schema.users import User
from tests import factories
from tests.handed_over import handed_over

LEASE = timedelta(minutes=1)
PUBLISHER = StreamPublisher()


def _delete_conversation(db: Session, user: User, job: Job) -> None:
    conversations.delete(db, user, job.conversation_id, PUBLISHER)


def _delete_message(db: Session, user: User, job: Job) -> None:
    assert job.message_id
    conversations.delete_message(db, user, job.conversation_id, job.message_id, PUBLISHER)


def _delete_upload(db: Session, user: User, job: Job) -> None:
    sent = sa.select(Upload.id).where(Upload.message_id == job.message_id)
    files.delete_upload(db, user, db.scalars(sent).one())


def _delete_made(db: Session, user: User, job: Job) -> None:
    files.delete_handed_over(db, user, handed_over(db, job, b"x", "files/x.md").id)


def _delete_imported(db: Session, user: User, _: Job) -> None:
    key = f"imports/{user.id}/a"
    brought = StoredImport("a.md", "a.md", "text/plain", 1, key, is_set_aside=False)
    imported.add_files(db, user.id, [brought])
    mine = sa.select(ImportedFile.id).where(ImportedFile.user_id == user.id)
    files.delete_imported(db, user, db.scalars(mine).one())


def _erase_note(db: Session, user: User, _: Job) -> None:
    memory.erase(db, user.id, _note(db, user))


def _let_note_lapse(db: Session, user: User, _: Job) -> None:
    note_id = _note(db, user)
    notes.remove(db, notes.find_own(db, user.id, note_id), author=NoteAuthor.USER)
    db.commit()
    memory.erase_deleted(utc_now(), 10)


def _note(db: Session, user: User) -> UUID:
    return notes.add(db, user.id, "Likes tea", author=NoteAuthor.USER).id


WAYS = (
    _delete_conversation,
    _delete_message,
    _delete_upload,
    _delete_made,
    _delete_imported,
    _erase_note,
    _let_note_lapse,
)


@pytest.fixture(autouse=True)
def stored(storage: Storage) -> Storage:
    """The bucket, without what other tests left in it."""
    for key in storage.list("exports/"):
        storage.delete(key)
    return storage


@pytest.fixture
def job(db: Session, ada: User) -> Job:
    file = SentFile("a.txt", "text/plain", 1, f"uploads/{ada.id}/a")
    conversation = factories.conversation(db, ada)
    factories.jobs.ask(db, conversation, "Hello", model=factories.MODEL, files=[file])
    job = factories.claim(db)
    assert job is not None
    factories.answer(db, job, "Hello.")
    return job


def _ready(db: Session, user: User, storage: Storage) -> tuple[UUID, str]:
    exports.ask(db, user.id)
    claimed = exports.claim(db, LEASE)
    assert claimed is not None
    key = f"{exports.place(user.id, claimed.id)}1-a"
    storage.put(key, b"PK")
    # Of a worker that died with it.
    storage.put(f"{exports.place(user.id, claimed.id)}0-b", b"PK")
    assert exports.finish(db, claimed, key, 2)
    db.commit()
    return claimed.id, key


def _status(db: Session, export_id: UUID) -> ExportStatus:
    db.expire_all()
    return db.get_one(Export, export_id).status


@pytest.mark.parametrize("delete", WAYS)
def test_it_ends_with_whatever_is_deleted(
    db: Session,
    ada: User,
    eve: User,
    job: Job,
    stored: Storage,
    delete: Callable[[Session, User, Job], None],
) -> None:
    mine, _ = _ready(db, ada, stored)
    hers, key = _ready(db, eve, stored)
    # What came to be in the same moment may be in it.
    db.execute(sa.update(Export).values(finished_at=utc_now() + LEASE))
    delete(db, ada, job)
    db.commit()
    assert (_status(db, mine), _status(db, hers)) == (ExportStatus.ENDED, ExportStatus.READY)
    assert key in stored.list("exports/")
    assert stored.list(exports.place(ada.id, mine)) == []


def test_it_stays_when_what_is_deleted_came_later(db: Session, ada: User, stored: Storage) -> None:
    mine, key = _ready(db, ada, stored)
    db.execute(sa.update(Export).values(finished_at=utc_now() - LEASE))
    _erase_note(db, ada, Job())
    db.commit()
    assert _status(db, mine) is ExportStatus.READY
    assert key in stored.list("exports/")


def test_nothing_goes_when_the_deletion_comes_to_nothing(
    db: Session, ada: User, stored: Storage
) -> None:
    mine, key = _ready(db, ada, stored)
    ending.end(db, ada.id, None)
    db.rollback()
    assert _status(db, mine) is ExportStatus.READY
    assert key in stored.list("exports/")


def test_one_that_is_being_put_together_is_begun_again(db: Session, ada: User) -> None:
    exports.ask(db, ada.id)
    first = exports.claim(db, LEASE)
    assert first is not None
    ending.end(db, ada.id, utc_now())
    # Also before anybody has begun it again.
    assert not exports.finish(db, first, "exports/old", 1)
    second = exports.claim(db, LEASE)
    assert second is not None
    assert second.id == first.id
    assert not exports.finish(db, first, "exports/old", 1)
    assert exports.finish(db, second, "exports/new", 1)


def test_one_that_nobody_has_begun_just_waits(db: Session, ada: User) -> None:
    export = exports.ask(db, ada.id)
    ending.end(db, ada.id, utc_now())
    assert (export.status, export.attempts) == (ExportStatus.WAITING, 0)


def test_what_cannot_go_now_goes_later(
    db: Session, ada: User, stored: Storage, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine, key = _ready(db, ada, stored)

    def away(*_: object) -> None:
        raise StorageFailed("away")

    with monkeypatch.context() as patched:
        patched.setattr(attachments.storage(), "delete", away)
        ending.end(db, ada.id, None)
        db.commit()
        ending.delete_ended()
    assert _status(db, mine) is ExportStatus.ENDED
    assert key in stored.list("exports/")
    ending.delete_ended()
    assert stored.list("exports/") == []
    assert exports.list_ended(db, 10) == []


@pytest.mark.parametrize(
    "outage", [NoConnection("busy"), OperationalError("SELECT 1", {}, Exception("away"))]
)
def test_a_deletion_is_done_though_the_database_is_away_after_it(
    db: Session, ada: User, stored: Storage, monkeypatch: pytest.MonkeyPatch, outage: Exception
) -> None:
    mine, key = _ready(db, ada, stored)

    def away(*_: object) -> None:
        raise outage

    with monkeypatch.context() as patched:
        patched.setattr(exports, "find_ended", away)
        ending.end(db, ada.id, None)
        db.commit()
        # A sweep ends there too.
        ending.delete_ended()
    assert _status(db, mine) is ExportStatus.ENDED
    assert key in stored.list("exports/")
    ending.delete_ended()
    assert stored.list("exports/") == []


def test_what_deletions_cut_short_was_no_attempt(db: Session, ada: User) -> None:
    export = exports.ask(db, ada.id)
    for _ in range(exports.MOST_ATTEMPTS + 1):
        assert exports.claim(db, LEASE) is not None
        # Two in a row too.
        ending.end(db, ada.id, None)
        ending.end(db, ada.id, None)
    claimed = exports.claim(db, LEASE)
    assert claimed is not None
    assert not exports.put_off(db, claimed, LEASE)
    db.expire_all()
    assert (export.status, export.attempts) == (ExportStatus.WAITING, 1)
