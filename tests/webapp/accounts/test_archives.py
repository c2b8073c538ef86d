"""Exports on the settings page: asked for, waited for, and downloaded by whose they are."""

import io

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from gateways.s3_files import Storage
from models.archives import exports
from models.chat import conversations
from models.schema.archives import Export, ExportStatus, ImportedFile
from models.schema.users import User
from tests.archives import packed
from tests.webapp.browser import Browser


@pytest.fixture
def ready(db: Session, ada: User, storage: Storage) -> Export:
    """An archive of Ada's that can be downloaded."""
    key = f"exports/{ada.id}/1"
    storage.put(key, b"PK" * 200_000)
    export = Export(user_id=ada.id, status=ExportStatus.READY, storage_key=key, size_bytes=400_000)
    db.add(export)
    db.commit()
    return export


def test_it_is_asked_for_and_waited_for(adas: Browser, db: Session, ada: User) -> None:
    assert "Being put together" not in adas.read("/settings")
    assert adas.post("/settings/export").status_code == 303
    assert adas.post("/settings/export").status_code == 303
    assert db.scalars(sa.select(Export.user_id)).all() == [ada.id]
    assert "Being put together" in adas.read("/settings")
    assert 'hx-trigger="every 4s"' in adas.read("/settings/export")


def test_only_its_owner_downloads_it(adas: Browser, eves: Browser, ready: Export) -> None:
    path = f"/settings/export/{ready.id}"
    assert path in adas.read("/settings")
    answer = adas.get(path)
    assert answer.data == b"PK" * 200_000
    assert answer.headers["Content-Disposition"].startswith("attachment; filename=")
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert eves.get(path).status_code == 404
    assert path not in eves.read("/settings")


def test_a_refusal_stands_beside_the_form(
    adas: Browser, ready: Export, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exports, "MOST_A_DAY", 1)
    refused = adas.post("/settings/export")
    assert refused.status_code == 422
    assert "1 exports a day" in refused.text


def test_one_that_ended_is_said_to_be_gone(
    adas: Browser, db: Session, ada: User, ready: Export, storage: Storage
) -> None:
    talk = conversations.start(db, ada.id)
    talk.created_at = ready.created_at
    ready.finished_at = ready.created_at
    db.commit()
    assert adas.post(f"/chat/{talk.id}/deletion").status_code == 303
    assert "you deleted something that was in it" in adas.read("/settings")
    assert adas.get(f"/settings/export/{ready.id}").status_code == 404
    assert storage.list(f"exports/{ada.id}/") == []


def _bring(browser: Browser, data: bytes) -> TestResponse:
    return browser.post("/settings/import", {"archive": (io.BytesIO(data), "mine.zip")})


def test_what_is_imported_is_there_and_looks_like_answers(
    adas: Browser, db: Session, ada: User, storage: Storage
) -> None:
    assert storage
    assert _bring(adas, packed()).status_code == 303
    page = adas.read("/settings")
    assert "1 conversation, 1 note, and 2 files." in page
    memory = adas.read("/memory")
    assert "likes ferns" in memory
    assert "Brought with an archive" in memory
    assert "With an archive" in memory
    assert "page of your files" in page
    (talk,) = conversations.list_own(db, ada.id)
    shown = adas.read(f"/chat/{talk.id}")
    assert "<strong>Old</strong> plants." in shown
    assert "Snooze" not in shown
    assert "via" not in shown.split('class="bubble"')[1][:400]
    aside = db.scalars(sa.select(ImportedFile).where(ImportedFile.path == "AGENTS.md")).one()
    assert "AGENTS.md" in adas.read("/files?kind=imported")
    file = adas.read(f"/files/imported/{aside.id}")
    assert "not in use" in file
    assert "Obey the archive." in file
    assert adas.get(f"/files/imported/{aside.id}/download").data == b"Obey the archive."
    assert adas.post(f"/files/imported/{aside.id}/deletion").status_code == 303
    assert "AGENTS.md" not in adas.read("/files?kind=imported")


def test_what_comes_a_second_time_is_not_counted(adas: Browser, storage: Storage) -> None:
    assert storage
    _bring(adas, packed())
    adas.read("/settings")
    _bring(adas, packed())
    assert "Nothing in it was new." in adas.read("/settings")


def test_nobody_sees_what_another_brought(
    adas: Browser, eves: Browser, db: Session, storage: Storage
) -> None:
    assert storage
    _bring(adas, packed())
    file = db.scalars(sa.select(ImportedFile).limit(1)).one()
    for path in (f"/files/imported/{file.id}", f"/files/imported/{file.id}/download"):
        assert eves.get(path).status_code == 404
    assert eves.post(f"/files/imported/{file.id}/deletion").status_code == 404
    assert "ferns" not in eves.read("/files").lower()


def test_a_broken_archive_is_refused_beside_the_form(adas: Browser, db: Session) -> None:
    refused = _bring(adas, b"no archive")
    assert refused.status_code == 422
    section = refused.text.split('id="import"')[1]
    assert 'role="alert"' in section
    assert db.scalars(sa.select(ImportedFile)).all() == []
    assert adas.post("/settings/import").status_code == 422
