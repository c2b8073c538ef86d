"""Files of messages: what is deleted goes from storage, if not at once."""

import io
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import timedelta

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from actions import answer_files, attachments, conversations, files
from actions.announcements import StreamPublisher
from actions.attachments import IncomingFile
from gateways.s3_files import NotStored, Storage, StorageFailed
from models import jobs
from models.base import new_id, utc_now
from models.chat import file_deletions, pending_uploads
from models.chat.answer_files import attach
from models.database import open_session, unit_of_work
from models.schema.chat import Conversation
from models.schema.uploads import FileDeletion, SentFile, Upload
from models.schema.users import User
from settings import Settings
from tasks import upkeep
from tests import factories
from tests.agent.pictures import png
from tests.factories import MODEL
from tests.locks import wait_for_waiter


class _Undone(Exception):
    """What was begun is not to be."""


class Away(Storage):
    """A storage that deletes nothing just now."""

    asked = 0

    def delete(self, key: str) -> None:
        self.asked += 1
        raise StorageFailed(key)


@pytest.fixture(autouse=True)
def _own_storage(storage: Storage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(attachments, "storage", lambda: storage)


@pytest.mark.usefixtures("emptied")
def test_what_cannot_go_from_storage_goes_once_it_can(
    storage: Storage, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = f"uploads/{new_id()}/{new_id()}"
    storage.put(key, b"a secret")

    with monkeypatch.context() as patched:
        patched.setattr(attachments, "storage", lambda: Away(settings))
        attachments.drop([key])
        # Whoever deletes it twice does no harm.
        attachments.drop([key])
        upkeep.forget_files()
    assert storage.get(key) == b"a secret"
    assert _waiting() == [key]

    upkeep.forget_files()

    with pytest.raises(NotStored):
        storage.get(key)
    assert _waiting() == []


@pytest.mark.usefixtures("emptied", "redis_url")
def test_a_conversation_is_deleted_though_its_files_cannot_go_yet(
    storage: Storage, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    talk, keys = _sent(storage, 3)
    away = Away(settings)
    monkeypatch.setattr(attachments, "storage", lambda: away)
    with unit_of_work() as db:
        _delete(db, talk)
        # Whoever ends after the commit has noted them.
        assert set(db.scalars(sa.select(FileDeletion.storage_key))) == keys

    assert set(_waiting()) == keys
    # Nobody waits for each of them.
    assert away.asked == 1


@pytest.mark.usefixtures("emptied", "redis_url")
def test_what_its_user_deletes_during_a_sweep_goes_too(
    storage: Storage, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    talk, [key] = _sent(storage, 1)
    attachments.expect([key, "uploads/nobodys"])

    class Meanwhile(Away):
        def delete(self, key: str) -> None:
            if not self.asked:
                self.asked = 1
                with unit_of_work() as db:
                    _delete(db, talk)
            raise StorageFailed(key)

    with monkeypatch.context() as patched:
        meanwhile = Meanwhile(settings)
        patched.setattr(attachments, "storage", lambda: meanwhile)
        attachments.drop_left(utc_now() + timedelta(minutes=61))
    attachments.drop_left(utc_now() + timedelta(minutes=61))

    with pytest.raises(NotStored):
        storage.get(key)


@pytest.mark.usefixtures("emptied", "redis_url")
def test_what_a_savepoint_has_undone_stays(storage: Storage) -> None:
    talk, [key] = _sent(storage, 1)
    with unit_of_work() as db:
        user, file = db.get_one(User, talk.user_id), db.scalars(sa.select(Upload)).one()
        with suppress(_Undone), db.begin_nested():
            files.delete_upload(db, user, file.id)
            raise _Undone
        user.name = "Ada Lovelace"

    assert storage.get(key) == b"a secret"


@pytest.mark.usefixtures("emptied", "redis_url")
def test_what_is_somebodys_after_all_is_not_dropped(storage: Storage) -> None:
    _, [key] = _sent(storage, 1)
    # PostgreSQL had committed, and the connection was lost before it could say so.
    attachments.drop([key])

    assert storage.get(key) == b"a secret"
    assert _waiting() == []


@pytest.mark.usefixtures("emptied", "redis_url")
def test_what_its_user_deletes_waits_for_a_sweep_that_sees_its_owner(
    storage: Storage, emptied: sa.Engine
) -> None:
    talk, [key] = _sent(storage, 1)
    attachments.expect([key])

    def _delete_it() -> None:
        with unit_of_work() as db:
            _delete(db, talk)

    with open_session() as sweep, ThreadPoolExecutor(1) as pool:
        taken = file_deletions.take_due(sweep, utc_now() + timedelta(minutes=61), 10)
        assert file_deletions.owned(sweep, taken) == {key}
        deleting = pool.submit(_delete_it)
        wait_for_waiter(emptied)
        file_deletions.settle(sweep, taken)
        sweep.commit()
        deleting.result(10)

    assert _waiting() == []
    with pytest.raises(NotStored):
        storage.get(key)


@pytest.mark.usefixtures("emptied")
def test_what_comes_to_be_nobodys_goes_after_an_hour(storage: Storage) -> None:
    sent = [IncomingFile(name, io.BytesIO(b"a secret")) for name in ("a.txt", "b.txt")]
    with unit_of_work() as db:
        user = factories.user(db, "ada@example.org")
        talk = factories.conversation(db, user)
    owned, lost = attachments.keep(user, sent)
    waits = attachments.keep(user, [IncomingFile("c.txt", io.BytesIO(b"a secret"))])[0]
    with unit_of_work() as db:
        jobs.ask(db, db.merge(talk), "Look", model=MODEL, files=[owned])
        pending_uploads.stage(db, user.id, [waits])

    attachments.drop_left(utc_now() + timedelta(minutes=59))
    assert storage.get(lost.storage_key) == b"a secret"
    attachments.drop_left(utc_now() + timedelta(minutes=61))

    with pytest.raises(NotStored):
        storage.get(lost.storage_key)
    for file in (owned, waits):
        assert storage.get(file.storage_key) == b"a secret"
    assert _waiting() == []


@pytest.mark.usefixtures("emptied")
def test_what_was_handed_over_stays_with_its_small_picture(
    storage: Storage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(answer_files, "storage", lambda: storage)
    with unit_of_work() as db:
        user = factories.user(db, "ada@example.org")
        job = factories.running(db, user, "Draw")
        kept, lost = (answer_files.keep(user.id, "a.png", png()) for _ in range(2))
        attach(db, job, kept)

    attachments.drop_left(utc_now() + timedelta(minutes=61))

    assert lost.thumbnail_key is not None
    assert kept.thumbnail_key is not None
    for key in (kept.storage_key, kept.thumbnail_key):
        assert storage.get(key)
    for key in (lost.storage_key, lost.thumbnail_key):
        with pytest.raises(NotStored):
            storage.get(key)


@pytest.mark.usefixtures("emptied")
def test_what_could_not_go_does_not_wait_an_hour(
    storage: Storage, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    [lost] = _kept(1)
    with monkeypatch.context() as patched:
        patched.setattr(attachments, "storage", lambda: Away(settings))
        attachments.drop([lost.storage_key])

    attachments.drop_left(utc_now())

    with pytest.raises(NotStored):
        storage.get(lost.storage_key)


@pytest.mark.usefixtures("emptied")
def test_more_than_one_lot_goes_in_one_sweep(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(attachments, "MOST_LEFT", 2)
    _kept(5)

    attachments.drop_left(utc_now() + timedelta(minutes=61))

    assert _waiting() == []


def _kept(count: int) -> list[SentFile]:
    """Put files of a user into storage that no message has."""
    with unit_of_work() as db:
        user = factories.user(db, "ada@example.org")
    return attachments.keep(
        user, [IncomingFile(f"{number}.txt", io.BytesIO(b"a secret")) for number in range(count)]
    )


def _sent(storage: Storage, count: int) -> tuple[Conversation, set[str]]:
    """Let a user send files; return their conversation, and what storage calls them."""
    keys = {f"uploads/{new_id()}" for _ in range(count)}
    for key in keys:
        storage.put(key, b"a secret")
    with unit_of_work() as db:
        talk = factories.conversation(db, factories.user(db, "ada@example.org"))
        sent = [SentFile("a.txt", "text/plain", 8, key) for key in keys]
        jobs.ask(db, talk, "Look", model=MODEL, files=sent)
    return talk, keys


def _delete(db: Session, talk: Conversation) -> None:
    conversations.delete(db, db.get_one(User, talk.user_id), talk.id, StreamPublisher())


def _waiting() -> list[str]:
    with unit_of_work() as db:
        return list(db.scalars(sa.select(FileDeletion.storage_key)))
