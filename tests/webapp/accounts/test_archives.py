"""Exports on the settings page: asked for, waited for, and downloaded by whose they are."""

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from gateways.s3_files import Storage
from models.archives import exports
from models.schema.archives import Export, ExportStatus
from models.schema.users import User
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
