"""A person's entries, as they read them."""

from collections.abc import Collection, Iterator
from datetime import datetime
from uuid import UUID

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from models.schema.ledger import EntryKind, Transaction

# What is booked for ourselves says nothing to the person.
OURS = (EntryKind.ABSORBED,)
CHUNK = 500


def entries(
    db: Session,
    user_id: UUID,
    *,
    kinds: Collection[EntryKind] = (),
    since: datetime | None = None,
    until: datetime | None = None,
    before: UUID | None = None,
    limit: int,
) -> list[Transaction]:
    """List a person's entries, the latest first: of some kinds, of a time, before an entry."""
    wanted = _mine(user_id, kinds)
    if since is not None:
        wanted = wanted.where(Transaction.created_at >= since)
    if until is not None:
        wanted = wanted.where(Transaction.created_at < until)
    if before is not None:
        wanted = wanted.where(Transaction.id < before)
    return list(db.scalars(wanted.order_by(Transaction.id.desc()).limit(limit)))


def all_entries(
    db: Session,
    user_id: UUID,
    *,
    kinds: Collection[EntryKind] = (),
    since: datetime | None = None,
    until: datetime | None = None,
) -> Iterator[Transaction]:
    """Go through all of them, the latest first, a few hundred at a time."""
    last: UUID | None = None
    while True:
        found = entries(
            db, user_id, kinds=kinds, since=since, until=until, before=last, limit=CHUNK
        )
        yield from found
        if len(found) < CHUNK:
            return
        last = found[-1].id


def _mine(user_id: UUID, kinds: Collection[EntryKind]) -> Select[Transaction]:
    mine = select(Transaction).where(
        Transaction.user_id == user_id,
        Transaction.kind.not_in(OURS),
        Transaction.amount_micros != 0,
    )
    return mine.where(Transaction.kind.in_(kinds)) if kinds else mine
