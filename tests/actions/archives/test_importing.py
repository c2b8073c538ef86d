"""Archives that are imported: all that is good in them, or nothing, and never orders."""

import io
import json
import time
import zipfile
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from actions import attachments
from actions.archives import importing, writing
from actions.archives.importing import (
    Imported,
    changes_the_assistant,
    import_archive,
)
from actions.attachments import IncomingFile, StorageAway
from actions.sentences.refusals import sentence_of
from agent.state import BLANK, Restored
from gateways.s3_files import Storage, StorageFailed
from models.archives import imported
from models.archives.imported import ArchiveTooLarge, BadArchive
from models.base import utc_now
from models.chat import conversations, search
from models.chat.storage_quotas import StorageFull
from models.database import open_session, unit_of_work
from models.memory import changes, notes
from models.schema.archives import ImportedFile, ImportedStatus
from models.schema.chat import Conversation, Message, Role
from models.schema.memory import NoteAuthor
from models.schema.snapshots import Pack, StateSnapshot
from models.schema.uploads import FileDeletion
from models.schema.users import User
from tests import factories
from tests.archives import FILES, HOSTILE, packed, with_conversation

FILE_PATHS = {
    "AGENTS.md": ImportedStatus.SET_ASIDE,
    "garden.md": ImportedStatus.WAITING,
    "memory/2025-03-01.md": ImportedStatus.WAITING,
    "skills/evil/SKILL.md": ImportedStatus.SET_ASIDE,
}


@pytest.fixture(autouse=True)
def stored(storage: Storage) -> Storage:
    """The bucket, without what other tests left in it."""
    for key in storage.list("imports/"):
        storage.delete(key)
    return storage


def imported_from(db: Session, user: User, data: bytes) -> Imported:
    made = import_archive(db, user, IncomingFile("archive.zip", io.BytesIO(data)))
    db.commit()
    return made


def files(db: Session) -> dict[str, ImportedFile]:
    db.expire_all()
    return {one.path: one for one in db.scalars(sa.select(ImportedFile))}


def test_all_that_is_good_is_taken(db: Session, ada: User, stored: Storage) -> None:
    taken = Imported(conversations=1, files=2, set_aside=2, notes=1)
    assert imported_from(db, ada, packed()) == taken
    (talk,) = conversations.list_own(db, ada.id)
    assert (talk.title, talk.created_at) == ("Ferns", datetime(2025, 3, 1, 8, tzinfo=UTC))
    said = db.scalars(sa.select(Message).order_by(Message.id)).all()
    assert [(one.role, one.text, one.channel) for one in said] == [
        ("user", "What are ferns?", "import"),
        ("assistant", "**Old** plants.", "import"),
    ]
    found = files(db)
    assert {path: one.status for path, one in found.items()} == FILE_PATHS
    talked = "memory/2025-03-01.md"
    assert stored.get(found[talked].storage_key) == FILES[f"workspace/{talked}"]


def test_a_folder_around_it_all_is_no_matter(db: Session, ada: User) -> None:
    around = {f"shellmate-2026/{name}": data for name, data in FILES.items()}
    around["__MACOSX/._x"] = b"x"
    assert imported_from(db, ada, packed(around)).conversations == 1
    assert set(files(db)) == set(FILE_PATHS)


def _memory(text: str | bytes) -> bytes:
    whole = text if isinstance(text, bytes) else text.encode()
    return packed({"workspace/MEMORY.md": whole}, packing=zipfile.ZIP_STORED)


def _notes(db: Session, owner: User) -> list[str]:
    return [one.words for one in notes.list_own(db, owner.id)]


def test_its_memory_becomes_notes(db: Session, ada: User, eve: User) -> None:
    notes.add(db, ada.id, "Likes Ferns", author=NoteAuthor.USER)
    whole = "# Memory\n## Me\n- likes ferns\n- #12 (2025-03-01) Has a cat\n* Plays chess\n"
    taken = imported_from(db, ada, _memory(whole))
    assert (taken.notes, taken.left_out, taken.files) == (2, 0, 0)
    assert imported_from(db, ada, _memory(whole)).notes == 0
    assert _notes(db, ada) == ["Has a cat", "Plays chess", "Likes Ferns"]
    assert _notes(db, eve) == []
    newest = notes.list_own(db, ada.id, 1)[0]
    assert (newest.author, newest.conversation_id) == (NoteAuthor.IMPORTED, None)
    assert [one.number for one in search.search(db, ada, "cats", only_notes=True)] == [3]
    notes.edit(db, newest, "Has two cats", author=NoteAuthor.USER)
    changes.undo(db, ada.id, changes.list_own(db, ada.id, 1)[0].change.id)
    assert _notes(db, ada)[0] == "Has a cat"
    assert files(db) == {}


def test_more_notes_than_one_may_have_are_left_out(
    db: Session, ada: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(notes, "MOST_NOTES", 3)
    notes.add(db, ada.id, "Likes ferns", author=NoteAuthor.USER)
    taken = imported_from(db, ada, _memory("\n".join(f"- fact {n}" for n in range(5))))
    assert (taken.notes, taken.left_out) == (2, 3)
    assert _notes(db, ada) == ["fact 0", "fact 1", "Likes ferns"]


@pytest.mark.parametrize(
    ("memory", "kept"),
    [
        (b"- a\0b\n- \xe2\x80\xaetxt.exe\n- good\n", ["ab", "good"]),
        (b"\xff\xfe\x00" * 1000, []),
        (b"- " + b"x" * 1200, ["x" * 500, "x" * 200]),
        (b"#" * 1_000_000, []),
        (b"- (" * 300_000, None),
        (b"\n- a" * 2_000_000, ["a"]),
        (b"- #9 (2025-01-01)" + b" " * 1_000_000 + b"b", ["b"]),
        (b"- " + "e\u0301".encode() * 100 + b"\xcd\x81" * 90, []),
    ],
)
def test_a_hostile_memory_is_bounded(
    db: Session, ada: User, memory: bytes, kept: list[str] | None
) -> None:
    began = time.monotonic()
    imported_from(db, ada, _memory(memory))
    assert time.monotonic() - began < 20
    found = _notes(db, ada)
    assert len(found) <= notes.MOST_NOTES
    assert all(len(words) <= notes.WORDS_MAX_LENGTH for words in found)
    assert kept is None or found == kept


def test_a_second_time_nothing_is_written_over(db: Session, ada: User, stored: Storage) -> None:
    imported_from(db, ada, packed({"workspace/notes.md": b"first"}))
    imported_from(db, ada, packed({"workspace/notes.md": b"second"}))
    (found,) = files(db).values()
    assert stored.list("imports/") == [found.storage_key]
    assert stored.get(found.storage_key) == b"first"


def test_a_second_time_no_conversation_comes(db: Session, ada: User, eve: User) -> None:
    imported_from(db, ada, packed())
    (talk,) = conversations.list_own(db, ada.id)
    # Under another name, and with more in it, it is the same one.
    conversations.rename(talk, "My ferns")
    conversations.say(db, talk, Role.USER, "Go on")
    assert imported_from(db, ada, packed()) == Imported(0, 0, 0)
    assert imported_from(db, eve, packed()).conversations == 1
    assert [one.title for one in conversations.list_own(db, ada.id)] == ["My ferns"]


def test_a_conversation_of_which_more_was_said_is_another_one(db: Session, ada: User) -> None:
    asked, answered = json.loads(FILES["conversations/2025-03-01-ferns.json"])["messages"]
    for messages in ([asked, answered], [asked], [asked, answered, asked], [asked, asked]):
        imported_from(db, ada, with_conversation(messages=messages))
    assert len(conversations.list_own(db, ada.id)) == 3


def test_ones_own_export_brings_no_conversation_that_is_there(
    db: Session, ada: User, stored: Storage
) -> None:
    factories.answer(db, factories.running(db, ada, "What are ferns?"), "Plants.")
    db.commit()
    whole = io.BytesIO()
    writing.write(ada.id, Restored((), {}, BLANK.state), stored, whole)
    assert imported_from(db, ada, whole.getvalue()).conversations == 0
    assert len(conversations.list_own(db, ada.id)) == 1


def test_what_was_brought_before_needs_no_room(
    db: Session, ada: User, adjust: Callable[..., None]
) -> None:
    imported_from(db, ada, packed())
    size = sum(one.size_bytes for one in files(db).values())
    adjust(UPLOADS_MAX_BYTES_PER_USER=str(size))
    assert imported_from(db, ada, packed()).files == 0
    with pytest.raises(StorageFull):
        imported_from(db, ada, packed({**FILES, "workspace/new.md": b"x"}))


@pytest.mark.parametrize("name", HOSTILE)
def test_of_a_hostile_archive_nothing_is_kept(
    db: Session, ada: User, stored: Storage, name: str
) -> None:
    data, faults = HOSTILE[name]
    with pytest.raises(BadArchive) as refused:
        imported_from(db, ada, data)
    assert refused.value.fault in faults
    assert sentence_of(refused.value)
    db.rollback()
    assert db.scalars(sa.select(Conversation)).all() == []
    assert files(db) == {}
    assert stored.list("imports/") == []


def test_a_time_to_come_is_now_and_odd_letters_go(db: Session, ada: User) -> None:
    later = {"role": "user", "text": "a\0b\ud800c", "at": "2080-01-01T00:00:00+00:00"}
    imported_from(db, ada, with_conversation(messages=[later], title="T\0"))
    (said,) = db.scalars(sa.select(Message))
    assert said.text == "abc"
    assert said.created_at <= datetime.now(UTC)


def test_bounds_of_the_account_hold(
    db: Session, ada: User, stored: Storage, adjust: Callable[..., None]
) -> None:
    adjust(UPLOADS_MAX_BYTES_PER_USER="10", IMPORT_MAX_BYTES=str(1024**2))
    with pytest.raises(StorageFull):
        imported_from(db, ada, packed())
    with pytest.raises(ArchiveTooLarge):
        imported_from(db, ada, bytes(1024**2 + 1))
    assert conversations.list_own(db, ada.id) == []
    assert stored.list("imports/") == []


def test_while_storage_is_away_nothing_is_kept(
    db: Session, ada: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    def _fail(*_: object) -> None:
        raise StorageFailed

    monkeypatch.setattr(Storage, "put", _fail)
    with pytest.raises(StorageAway):
        imported_from(db, ada, packed())
    assert conversations.list_own(db, ada.id) == []


def test_a_second_time_nothing_waits_for_itself(emptied: sa.Engine, stored: Storage) -> None:
    with unit_of_work() as db:
        factories.user(db, "ada@example.org")
    for _ in range(2):
        with open_session() as db:
            imported_from(db, db.scalars(sa.select(User)).one(), packed())
    with emptied.connect() as looking:
        kept = looking.scalars(sa.select(ImportedFile.storage_key)).all()
        assert looking.scalars(sa.select(FileDeletion.storage_key)).all() == []
    assert sorted(stored.list("imports/")) == sorted(kept)


@pytest.mark.parametrize("is_gone", [False, True])
def test_what_took_so_long_that_a_sweep_may_have_it_is_refused(
    db: Session, ada: User, monkeypatch: pytest.MonkeyPatch, *, is_gone: bool
) -> None:
    put = Storage.put

    def _be_slow(storage: Storage, *args: Any) -> None:
        put(storage, *args)
        if is_gone:
            attachments.drop_left(utc_now())

    monkeypatch.setattr(attachments, "SETTLED_AFTER", timedelta(0))
    monkeypatch.setattr(Storage, "put", _be_slow)
    with pytest.raises(StorageAway):
        imported_from(db, ada, packed())
    assert conversations.list_own(db, ada.id) == []
    assert files(db) == {}


@pytest.mark.parametrize(
    "path", ["agents.md", "SOUL.md", "TOOLS.md", "skills/a/SKILL.md", ".openclaw/x", "a/.b/c"]
)
def test_orders_are_set_aside(path: str) -> None:
    assert changes_the_assistant(path)


@pytest.mark.parametrize("path", ["MEMORY.md", "USER.md", "memory/a.md", "a/AGENTS.md", "x.md"])
def test_what_is_no_order_is_not(path: str) -> None:
    assert not changes_the_assistant(path)


def test_a_turn_places_them_until_a_version_was_saved_after_it(db: Session, ada: User) -> None:
    imported_from(db, ada, packed())
    job = factories.running(db, ada)
    waiting = ["garden.md", "memory/2025-03-01.md"]
    for _ in range(2):
        assert [one.path for one in imported.list_to_place(db, ada.id, job.id)] == waiting
    pack = Pack(key="state/a/1-a.pack", sha256="x", size_bytes=1)
    db.add(StateSnapshot(user_id=ada.id, version=1, packs=[pack], size_bytes=1, job_id=job.id))
    db.flush()
    assert imported.list_to_place(db, ada.id, job.id) == []
    assert files(db)["garden.md"].status is ImportedStatus.PLACED


def test_a_turn_places_only_so_much_and_nobody_elses(
    db: Session, ada: User, eve: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    imported_from(db, ada, packed())
    job = factories.running(db, eve)
    assert imported.list_to_place(db, eve.id, job.id) == []
    monkeypatch.setattr(imported, "PLACED_BYTES", 1)
    mine = factories.running(db, ada)
    assert [one.path for one in imported.list_to_place(db, ada.id, mine.id)] == ["garden.md"]


def test_what_was_said_in_it_is_told_until_it_is_answered_here(db: Session, ada: User) -> None:
    imported_from(db, ada, packed())
    (talk,) = conversations.list_own(db, ada.id)
    job = factories.running(db, ada, "Go on", conversation_id=talk.id)
    (told,) = imported.said_before(db, talk.id, saved=None, limit=8)
    assert (told.asked, told.answered) == ("What are ferns?", "**Old** plants.")
    assert told.conversation_title == "Ferns"
    factories.answer(db, job, "They have no flowers.")
    assert len(imported.said_before(db, talk.id, saved=None, limit=8)) == 1
    saved = StateSnapshot(user_id=ada.id, version=1, packs=[], size_bytes=1, job_id=job.id)
    assert imported.said_before(db, talk.id, saved=saved, limit=8) == []
    # The assistant has lost all of the conversation, and a reminder does not tell it again.
    talk.forgotten_at = utc_now()
    conversations.say(db, talk, Role.ASSISTANT, "Reminder: water the ferns.")
    assert len(imported.said_before(db, talk.id, saved=saved, limit=8)) == 1
    own = factories.conversation(db, ada)
    assert imported.said_before(db, own.id, saved=saved, limit=8) == []


def test_what_an_export_writes_is_taken(db: Session, ada: User) -> None:
    document: dict[str, object] = {"title": "T", "created_at": "x", "messages": []}
    whole = packed({"conversations/a.json": json.dumps(document).encode(), "workspace/a": b"x"})
    assert imported_from(db, ada, whole) == Imported(conversations=0, files=1, set_aside=0)
    assert importing.ANY == "application/octet-stream"
