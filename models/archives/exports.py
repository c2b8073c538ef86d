"""Exports: asked for by a user, put together by a worker, and kept for a while."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import ColumnElement, delete, func, or_, select, update
from sqlalchemy.orm import Session

from models.base import utc_now
from models.errors import NotFound, Refused
from models.schema.archives import Export, ExportStatus

# Each takes a worker some minutes.
MOST_A_DAY = 5
MOST_ATTEMPTS = 3
KEPT_FOR = timedelta(days=7)


class TooManyExports(Refused):
    """A user has had `most` exports within a day."""

    code = "too_many_exports"


@dataclass(frozen=True)
class ClaimedExport:
    """An export that a worker has claimed.

    `attempt` and `leased_until` together prove that it is still theirs.
    """

    id: UUID
    user_id: UUID
    attempt: int
    leased_until: datetime | None


def ask(db: Session, user_id: UUID) -> Export:
    """Ask for an export under the account's lock; one that waits already is found.

    Refuses more than `MOST_A_DAY`.
    """
    newest = find_newest(db, user_id)
    if newest is not None and newest.status is ExportStatus.WAITING:
        return newest
    since = Export.created_at > utc_now() - timedelta(days=1)
    asked = select(func.count()).select_from(Export).where(Export.user_id == user_id, since)
    if db.scalars(asked).one() >= MOST_A_DAY:
        raise TooManyExports(most=MOST_A_DAY)
    export = Export(user_id=user_id, status=ExportStatus.WAITING)
    db.add(export)
    db.flush()
    return export


def find_newest(db: Session, user_id: UUID) -> Export | None:
    """Return what a user asked for last, if it is still kept."""
    mine = select(Export).where(Export.user_id == user_id).order_by(Export.id.desc()).limit(1)
    return db.scalar(mine)


def find_ready(db: Session, user_id: UUID, export_id: UUID) -> Export:
    """Find an export of this user's that can be downloaded, or raise NotFound."""
    found = db.scalar(select(Export).where(Export.id == export_id, Export.user_id == user_id))
    if found is None or found.status is not ExportStatus.READY or found.storage_key is None:
        raise NotFound
    return found


def is_any_waiting(db: Session) -> bool:
    """Tell whether a worker is wanted."""
    return db.scalar(select(Export.id).where(_is_free()).limit(1)) is not None


def claim(db: Session, lease: timedelta) -> ClaimedExport | None:
    """Take the export that has waited longest; nobody else is given it until `lease` is over.

    Not one that was tried often enough: `give_up` ends those.
    """
    export = db.scalar(
        select(Export)
        .where(_is_free(), Export.attempts < MOST_ATTEMPTS)
        .order_by(Export.id)
        .limit(1)
        .with_for_update(skip_locked=True)
    )
    if export is None:
        return None
    export.attempts += 1
    export.leased_until = utc_now() + lease
    db.flush()
    return _claimed(export)


def give_up(db: Session) -> list[ClaimedExport]:
    """Fail what was tried often enough, each time by a worker that died with it; return them.

    Whoever asked for them is to be told.
    """
    spent = db.scalars(
        select(Export)
        .where(_is_free(), Export.attempts >= MOST_ATTEMPTS)
        .with_for_update(skip_locked=True)
    ).all()
    found = [_claimed(export) for export in spent]
    return [one for one in found if _close(db, one, status=ExportStatus.FAILED)]


def finish(db: Session, claimed: ClaimedExport, storage_key: str, size_bytes: int) -> bool:
    """Note where a claimed export is; False if it is not one's own any more."""
    return _close(
        db, claimed, status=ExportStatus.READY, storage_key=storage_key, size_bytes=size_bytes
    )


def put_off(db: Session, claimed: ClaimedExport, wait: timedelta) -> bool:
    """Let a claimed export be tried again after `wait`, or fail after the last attempt.

    Returns whether it has failed.
    """
    if claimed.attempt >= MOST_ATTEMPTS:
        return _close(db, claimed, status=ExportStatus.FAILED)
    db.execute(update(Export).where(*_is_still(claimed)).values(leased_until=utc_now() + wait))
    return False


def end(db: Session, user_id: UUID, since: datetime | None) -> list[UUID]:
    """End the exports of a locked account that may hold what is being deleted; return which ended.

    `since` is when that came to be: what was put together before is left alone. One that is being
    put together is begun again, as its worker may have read it by now.
    """
    found = db.scalars(
        select(Export)
        .where(
            Export.user_id == user_id,
            Export.status.in_((ExportStatus.WAITING, ExportStatus.READY)),
        )
        .with_for_update()
        .execution_options(populate_existing=True)
    ).all()
    ended: list[UUID] = []
    for export in found:
        if export.status is ExportStatus.WAITING:
            _begin_again(export)
        elif since is None or export.finished_at is None or export.finished_at >= since:
            export.status = ExportStatus.ENDED
            ended.append(export.id)
    db.flush()
    return ended


def list_ended(db: Session, limit: int) -> list[UUID]:
    """List exports that have ended and that storage still has."""
    ended = (Export.status == ExportStatus.ENDED) & Export.storage_key.is_not(None)
    return list(db.scalars(select(Export.id).where(ended).order_by(Export.id).limit(limit)))


def find_ended(db: Session, export_id: UUID) -> Export | None:
    """Return an export that has ended and that storage still has."""
    ended = (Export.status == ExportStatus.ENDED) & Export.storage_key.is_not(None)
    return db.scalar(select(Export).where(Export.id == export_id, ended))


def place(user_id: UUID, export_id: UUID) -> str:
    """Return the prefix of what attempts at an export have stored."""
    return f"exports/{user_id}/{export_id}/"


def note_deleted(db: Session, export_id: UUID) -> None:
    """Note that storage has an export that has ended no more."""
    db.execute(update(Export).where(Export.id == export_id).values(storage_key=None))


def expire(db: Session, now: datetime) -> list[str]:
    """Forget what was kept for long enough; return the storage keys, to be deleted too."""
    old = delete(Export).where(
        Export.status != ExportStatus.WAITING, Export.created_at < now - KEPT_FOR
    )
    return [key for key in db.scalars(old.returning(Export.storage_key)) if key]


def _claimed(export: Export) -> ClaimedExport:
    return ClaimedExport(export.id, export.user_id, export.attempts, export.leased_until)


def _begin_again(export: Export) -> None:
    """Take an export from whoever has it; what a deletion has cut short was no attempt."""
    if export.leased_until is None:
        return
    is_cut_short = export.leased_until > utc_now()
    export.attempts -= is_cut_short
    # Whoever has it finds that it is theirs no more.
    export.leased_until = None


def _is_free() -> ColumnElement[bool]:
    is_let_go = or_(Export.leased_until.is_(None), Export.leased_until < func.clock_timestamp())
    return (Export.status == ExportStatus.WAITING) & is_let_go


def _is_still(claimed: ClaimedExport) -> tuple[ColumnElement[bool], ...]:
    return (
        Export.id == claimed.id,
        Export.attempts == claimed.attempt,
        Export.leased_until.is_not_distinct_from(claimed.leased_until),
        Export.status == ExportStatus.WAITING,
    )


def _close(db: Session, claimed: ClaimedExport, **values: object) -> bool:
    closing = (
        update(Export)
        .where(*_is_still(claimed))
        .values(leased_until=None, finished_at=func.clock_timestamp(), **values)
    )
    return db.scalar(closing.returning(Export.id)) is not None
