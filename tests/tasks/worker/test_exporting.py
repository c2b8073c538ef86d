"""An archive has all that is its user's, and nothing of anybody else's."""

import io
import json
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from actions.archives import ending, exporting
from agent.files import CellFile
from agent.state import BLANK, DATABASE, Restored
from agent.turn import AgentFailed, SavedState, TurnFailure
from gateways.s3_files import Storage
from models import jobs
from models.archives import exports
from models.chat import conversations
from models.notifications import preferences
from models.schema.archives import Export, ExportStatus
from models.schema.emails import Email
from models.schema.notifications import Topic
from models.schema.uploads import SentFile
from models.schema.users import User
from settings import Settings
from tasks.worker import exporting as worker_exporting
from tasks.worker.exporting import carry_out
from tasks.worker.process import WorkerProcess
from tests import factories
from tests.handed_over import handed_over

MEMORY = b"# Memory\n- likes ferns\n"


@dataclass
class Runtime:
    """Has one file of memory and a database for everybody."""

    is_down: bool = False

    def restore(self, states: tuple[SavedState, ...]) -> Restored:
        if self.is_down:
            raise AgentFailed(TurnFailure.STATE_UNAVAILABLE, permanent=False)
        files = (CellFile("workspace/MEMORY.md", MEMORY), CellFile(DATABASE, b"SQLite"))
        return Restored(files, {}, BLANK.state)


@dataclass
class Process:
    storage: Storage
    runtime: Runtime
    settings: Settings


@pytest.fixture
def process(storage: Storage, settings: Settings, tmp_path: Path) -> Process:
    for prefix in ("exports/", "answers/", "uploads/"):
        for key in storage.list(prefix):
            storage.delete(key)
    own = settings.model_copy(update={"cells_dir": tmp_path})
    return Process(storage, Runtime(), own)


def _export(process: Process) -> bool:
    return carry_out(cast(WorkerProcess, process))


def _archive(db: Session, storage: Storage) -> zipfile.ZipFile:
    db.expire_all()
    export = db.scalars(sa.select(Export)).one()
    assert export.status is ExportStatus.READY
    data = b"".join(storage.stream(export.storage_key or ""))
    assert len(data) == export.size_bytes
    return zipfile.ZipFile(io.BytesIO(data))


def _talk(db: Session, user: User, storage: Storage, words: str) -> None:
    key = f"uploads/{user.id}/{words}"
    storage.put(key, b"sent " + words.encode())
    file = SentFile(f"{words}.txt", "text/plain", 5, key)
    conversation = factories.conversation(db, user)
    jobs.ask(db, conversation, f"About {words}", model=factories.MODEL, files=[file])
    job = factories.claim(db, only=[user.id])
    assert job is not None
    handed_over(db, job, b"made " + words.encode(), f"files/{words}.md")
    factories.answer(db, job, f"On {words}.")


def test_all_that_is_ones_own_is_in_it(db: Session, ada: User, eve: User, process: Process) -> None:
    _talk(db, ada, process.storage, "ferns")
    _talk(db, eve, process.storage, "secrets")
    exporting.ask(db, ada)
    db.commit()

    assert _export(process)
    assert not _export(process)

    whole = _archive(db, process.storage)
    assert whole.testzip() is None
    read = {name: whole.read(name) for name in whole.namelist()}
    everything = b"\n".join([*read.values(), *(name.encode() for name in read)])
    assert b"secrets" not in everything
    assert read["workspace/MEMORY.md"] == MEMORY
    assert read[DATABASE] == b"SQLite"
    assert b"cannot" not in read["workspace/AGENTS.md"]
    (sent,) = (name for name in read if name.startswith("files/sent/"))
    (made,) = (name for name in read if name.startswith("files/made/"))
    assert (read[sent], read[made]) == (b"sent ferns", b"made ferns")
    (document,) = (name for name in read if name.endswith(".json") and "conv" in name)
    said = json.loads(read[document])["messages"]
    assert [(one["role"], one["text"]) for one in said] == [
        ("user", "About ferns"),
        ("assistant", "On ferns."),
    ]
    assert said[0]["files"] == ["ferns.txt"]
    assert b"On ferns." in read[document.removesuffix("json") + "md"]


def test_a_deleted_conversation_is_not_in_it(db: Session, ada: User, process: Process) -> None:
    gone = factories.conversation(db, ada)
    conversations.erase(db, gone)
    exporting.ask(db, ada)
    assert _export(process)
    names = _archive(db, process.storage).namelist()
    assert not [name for name in names if name.startswith("conversations/")]


def test_what_an_attempt_before_has_left_goes(db: Session, ada: User, process: Process) -> None:
    export = exporting.ask(db, ada)
    left = f"{exports.place(ada.id, export.id)}0-dead"
    process.storage.put(left, b"PK")
    assert _export(process)
    assert left not in process.storage.list("exports/")
    _archive(db, process.storage)


def test_one_that_is_not_its_own_any_more_is_deleted(
    db: Session, ada: User, process: Process, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = exports.finish

    def finish(*given: Any) -> bool:
        ending.end(db, ada.id, None)
        return whole(*given)

    monkeypatch.setattr(exports, "finish", finish)
    exporting.ask(db, ada)
    assert _export(process)
    assert process.storage.list("exports/") == []
    monkeypatch.undo()
    assert _export(process)
    _archive(db, process.storage)


def test_what_there_is_no_room_for_is_named(
    db: Session, ada: User, process: Process, adjust: Callable[..., None]
) -> None:
    _talk(db, ada, process.storage, "ferns")
    file = handed_over(db, factories.running(db, ada), b"x" * 1_100_000, "files/large.csv")
    adjust(EXPORT_MAX_BYTES=str(1024**2))
    exporting.ask(db, ada)
    _export(process)
    whole = _archive(db, process.storage)
    assert file.name in whole.read("README.txt").decode()
    assert not any(file.name in name for name in whole.namelist())


def test_where_cells_would_run_out_of_room_it_waits(
    db: Session, ada: User, process: Process, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker_exporting, "LEFT_BYTES", 2**60)
    exporting.ask(db, ada)
    assert _export(process)
    assert process.storage.list("exports/") == []
    assert db.scalars(sa.select(Export.status)).one() is ExportStatus.WAITING


def test_what_fails_is_tried_again_and_leaves_nothing(
    db: Session, ada: User, process: Process
) -> None:
    exporting.ask(db, ada)
    process.runtime.is_down = True
    assert _export(process)
    assert process.storage.list("exports/") == []
    assert not _export(process)
    db.execute(sa.update(Export).values(leased_until=None))
    process.runtime.is_down = False
    assert _export(process)
    _archive(db, process.storage)


def test_who_asked_is_told_once_that_it_is_there_or_has_failed(
    db: Session, ada: User, process: Process
) -> None:
    preferences.choose(db, ada.id, Topic.LONG_WORK, ["email"])
    exporting.ask(db, ada)
    db.commit()
    assert _export(process)
    assert _mails(db) == ["Your archive is ready"]
    exporting.ask(db, ada)
    db.commit()
    process.runtime.is_down = True
    for tries in range(1, 4):
        assert _mails(db) == ["Your archive is ready"]
        assert _export(process), tries
        db.execute(sa.update(Export).values(leased_until=None))
        db.commit()
    assert _mails(db) == ["Your archive is ready", "Your archive has failed"]


def test_who_asked_is_told_when_it_was_given_up(db: Session, ada: User, process: Process) -> None:
    preferences.choose(db, ada.id, Topic.LONG_WORK, ["email"])
    exporting.ask(db, ada)
    db.execute(sa.update(Export).values(attempts=exports.MOST_ATTEMPTS))
    db.commit()
    assert not _export(process)
    assert _mails(db) == ["Your archive has failed"]


def _mails(db: Session) -> list[str]:
    return list(db.scalars(sa.select(Email.subject).order_by(Email.id)))
