"""Versions of a person's saved files. The files are in storage; the truth about them is here."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from models.schema.snapshots import StateSnapshot

KEPT_VERSIONS = 3


class StaleState(Exception):
    """Somebody saved this person's files meanwhile; these came from an older version."""


def newest(db: Session, user_id: UUID, limit: int = KEPT_VERSIONS) -> list[StateSnapshot]:
    """List a person's saved versions, newest first."""
    return list(
        db.scalars(
            select(StateSnapshot)
            .where(StateSnapshot.user_id == user_id)
            .order_by(StateSnapshot.version.desc())
            .limit(limit)
        )
    )


def add(db: Session, snapshot: StateSnapshot) -> None:
    """Make `snapshot` the newest, or raise StaleState when it does not follow the newest.

    The caller holds the person's lock.
    """
    latest = newest(db, snapshot.user_id, limit=1)
    if snapshot.version != (latest[0].version if latest else 0) + 1:
        raise StaleState
    db.add(snapshot)
    db.flush()


@dataclass(frozen=True)
class Superseded:
    """Versions that are not kept, and the storage keys that only they need."""

    ids: tuple[UUID, ...]
    keys: tuple[str, ...]


def superseded(db: Session, user_id: UUID) -> Superseded:
    """List the versions before those that are kept.

    Delete what is in storage first, then `forget` them: whatever happens in between, the next save
    still knows what to delete.
    """
    return _beyond(db, user_id, newest(db, user_id))


def all_but_newest(db: Session, user_id: UUID) -> Superseded:
    """List all versions before the newest: they have what the person's files are to forget."""
    return _beyond(db, user_id, newest(db, user_id, limit=1))


def _beyond(db: Session, user_id: UUID, kept: Collection[StateSnapshot]) -> Superseded:
    older = db.scalars(
        select(StateSnapshot).where(
            StateSnapshot.user_id == user_id,
            StateSnapshot.id.not_in([snapshot.id for snapshot in kept]),
        )
    ).all()
    return Superseded(tuple(one.id for one in older), tuple(sorted(keys(older) - keys(kept))))


def forget(db: Session, ids: Collection[UUID]) -> None:
    """Forget superseded versions whose keys are deleted."""
    if ids:
        db.execute(delete(StateSnapshot).where(StateSnapshot.id.in_(ids)))


def keys(snapshots: Iterable[StateSnapshot]) -> set[str]:
    """Return the storage keys that these versions need."""
    return {pack["key"] for snapshot in snapshots for pack in snapshot.packs}
