"""Deleting one's own account in the settings, and thinking better of it."""

import sqlalchemy as sa
from sqlalchemy.orm import Session

from models.schema.emails import Email, EmailKind
from models.schema.users import User
from tests import factories
from tests.webapp.browser import Browser

FORM = {"agreed": "yes", "deletion-password": factories.PASSWORD}


def test_it_is_ordered_by_password_and_undone(adas: Browser, ada: User, db: Session) -> None:
    for wrong in ({"agreed": ""}, {"deletion-password": "not hers"}):
        assert adas.post("/settings/deletion", {**FORM, **wrong}).status_code == 422
    db.refresh(ada)
    assert ada.deletion_due_at is None
    answer = adas.post("/settings/deletion", FORM)
    assert answer.location == "/settings#deletion"
    assert "Keep my account" in adas.read("/settings")
    kinds = db.scalars(sa.select(Email.kind).where(Email.recipient == ada.email)).all()
    assert EmailKind.ACCOUNT_DELETION in kinds
    refused = adas.post_part("/chat", {"text": "Hello?"})
    assert (refused.status_code, "about to be deleted" in refused.text) == (422, True)
    assert adas.post("/settings/deletion", FORM).status_code == 422
    adas.post("/settings/deletion/undo")
    assert adas.post("/chat", {"text": "Hello?"}).status_code == 303
    assert adas.post("/settings/deletion/undo").status_code == 422


def test_nobody_deletes_anothers(adas: Browser, eves: Browser, eve: User, db: Session) -> None:
    adas.post("/settings/deletion", FORM)
    db.refresh(eve)
    assert eve.deletion_due_at is None
    assert "Keep my account" not in eves.read("/settings")
