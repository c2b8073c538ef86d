"""Limits, cells, files and deletion from a user's page, and workers that drain."""

from uuid import uuid4

import sqlalchemy as sa
from sqlalchemy.orm import Session

from models.base import new_id, utc_now
from models.ops import snapshots, workers
from models.people import users
from models.schema.admins import AdminAction, AdminActionKind
from models.schema.users import User
from tests.models.ops.test_account_orders import saved
from tests.webapp.browser import Browser


def form(**given: str) -> dict[str, str]:
    return {"reason": "She asked.", "confirmed": "yes", "key": str(uuid4()), **given}


def kinds(db: Session) -> list[AdminActionKind]:
    return list(db.scalars(sa.select(AdminAction.kind).order_by(AdminAction.id)))


def test_support_resets_limits_ends_a_cell_and_restores_files(
    sams: Browser, db: Session, ada: User
) -> None:
    first = saved(db, ada, 3)[0]
    worker = workers.register(db, new_id(), "here")
    users.set_affinity(ada, worker.id, utc_now())
    ada.day_limit_micros = 5_000_000
    db.commit()
    page, there = f"/admin/people/{ada.id}", sams.read(f"/admin/people/{ada.id}")
    for words in ("Reset their limits", "End their hot cell", "Restore older files"):
        assert words in there
    assert "Delete the account" not in there
    for path, given in (("limits", {}), ("cell", {}), ("snapshot", {"snapshot": str(first.id)})):
        once = form(**given)
        for _ in range(2):
            assert sams.post(f"{page}/{path}", once).status_code == 303
        assert sams.post(f"{page}/{path}", form(**given, confirmed="")).status_code == 422
    assert snapshots.newest(db, ada.id, 1)[0].packs == first.packs
    assert sams.post(f"{page}/snapshot", form(snapshot="none")).status_code == 404
    assert kinds(db) == [
        AdminActionKind.LIMITS_RESET,
        AdminActionKind.CELL_DESTROYED,
        AdminActionKind.SNAPSHOT_RESTORED,
    ]


def test_owners_delete_and_support_undoes_it(
    olgas: Browser, sams: Browser, db: Session, ada: User
) -> None:
    page = f"/admin/people/{ada.id}"
    assert sams.post(f"{page}/deletion", form()).status_code == 403
    assert olgas.post(f"{page}/deletion", form()).status_code == 303
    assert "Keep the account" in sams.read(page)
    db.refresh(ada)
    assert ada.deletion_due_at
    assert sams.post(f"{page}/deletion-undo", form()).status_code == 303
    db.refresh(ada)
    assert ada.deletion_due_at is None


def test_a_worker_is_drained_once(sams: Browser, vics: Browser, db: Session) -> None:
    worker = workers.register(db, new_id(), "here")
    db.commit()
    once, path = form(), f"/admin/workers/{worker.id}/drain"
    assert "Drain it" in sams.read("/admin/workers")
    assert "Drain it" not in vics.read("/admin/workers")
    for _ in range(2):
        assert sams.post(path, once).status_code == 303
    assert "drains with its next report" in sams.read("/admin/workers")
    assert sams.post(path, form()).status_code == 422
    assert sams.post(f"/admin/workers/{uuid4()}/drain", form()).status_code == 404
    assert kinds(db) == [AdminActionKind.WORKER_DRAINED]
