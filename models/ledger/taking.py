"""Credits that go away again: money that went back, lapsed grants; and frozen accounts."""

from datetime import datetime
from typing import TYPE_CHECKING
from uuid import UUID

from sqlalchemy import ColumnElement, ScalarSelect, func, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from models.base import utc_now
from models.ledger.entries import (
    EntryKind,
    EntryNote,
    FreezeReason,
    Transaction,
    WriteOffReason,
    lock_account,
    record,
)
from models.ledger.write_offs import write_off

if TYPE_CHECKING:
    from models.users import User


def take_back(
    db: Session, user: "User", kind: EntryKind, micros: int, *, reference: str, note: EntryNote
) -> int:
    """Take credits of a locked account back, as far as they are there; return the micros taken.

    What is gone already is at our expense, which is booked too. What running calls hold is theirs.
    Told twice, nothing more is taken.
    """
    taken = min(micros, user.credits_available_micros)
    entry = Transaction(kind=kind, amount_micros=-taken, reference=reference, note=note)
    if not record(db, user, entry):
        return 0
    if taken < micros:
        reference = f"absorbed:{reference}"
        _absorb(db, user, micros - taken, reference, WriteOffReason.CREDITS_GONE)
    return taken


def give_back(
    db: Session, user: "User", taken_by: str, absorbed_micros: int, note: EntryNote
) -> None:
    """Undo what `take_back` did to a locked account under the reference `taken_by`."""
    entry = db.scalars(select(Transaction).where(Transaction.reference == taken_by)).one()
    if entry.amount_micros:
        back = Transaction(
            kind=EntryKind.ADJUSTMENT,
            amount_micros=-entry.amount_micros,
            promotional_micros=-entry.promotional_micros,
            reference=f"undone:{taken_by}",
            note=note,
        )
        record(db, user, back)
    if absorbed_micros:
        reference = f"undone:absorbed:{taken_by}"
        _absorb(db, user, -absorbed_micros, reference, WriteOffReason.CREDITS_BACK)


def freeze(user: "User", reason: FreezeReason) -> None:
    """Let a locked account spend nothing more."""
    user.spending_frozen_at = user.spending_frozen_at or utc_now()
    user.spending_frozen_reason, user.spending_frozen_details = reason, {}


def unfreeze(user: "User") -> None:
    """Let a locked account spend again."""
    user.spending_frozen_at, user.spending_frozen_reason = None, None
    user.spending_frozen_details = {}


def expire_grants(db: Session, granted_before: datetime, *, limit: int = 100) -> int:
    """Let what is left of older grants lapse, of up to `limit` people; return how many there were.

    Granted credits are used oldest first. So what a person has of them beyond all that was granted
    since is left of older ones. What running calls hold stays until a later day.
    """
    people = _who_has_older(db, granted_before, limit)
    return sum(_expire(db, user_id, granted_before) for user_id in people)


def _who_has_older(db: Session, before: datetime, limit: int) -> list[UUID]:
    from models.users import User  # noqa: PLC0415  # users need the ledger for the sign-up grant

    wanted = select(User.id).where(
        User.credits_promotional_micros > _granted_since(User.id, before),
        User.credits_balance_micros > User.credits_held_micros,
        ~select(Transaction.id).where(Transaction.reference == _today(User.id)).exists(),
    )
    return list(db.scalars(wanted.order_by(User.id).limit(limit)))


def _expire(db: Session, user_id: UUID, before: datetime) -> bool:
    user = lock_account(db, user_id)
    newer = int(db.scalar(select(_granted_since(user_id, before))) or 0)
    lapsed = min(user.credits_promotional_micros - newer, user.credits_available_micros)
    if lapsed <= 0:
        return False
    day = f"{utc_now():%Y-%m-%d}"
    entry = Transaction(
        kind=EntryKind.EXPIRY,
        amount_micros=-lapsed,
        reference=f"expiry:{user_id}:{day}",
        note=EntryNote.GRANT_EXPIRED,
    )
    return record(db, user, entry)


def _today(user_id: InstrumentedAttribute[UUID]) -> ColumnElement[str]:
    return func.concat("expiry:", user_id, f":{utc_now():%Y-%m-%d}")


def _granted_since(
    user_id: UUID | InstrumentedAttribute[UUID], before: datetime
) -> ScalarSelect[int]:
    return (
        select(func.coalesce(func.sum(Transaction.promotional_micros), 0))
        .where(
            Transaction.user_id == user_id,
            Transaction.kind == EntryKind.GRANT,
            Transaction.created_at >= before,
        )
        .scalar_subquery()
    )


def _absorb(db: Session, user: "User", micros: int, reference: str, reason: WriteOffReason) -> None:
    entry = Transaction(amount_micros=0, provider_cost_micros=micros, reference=reference)
    write_off(db, user, entry, reason, carried_micros=micros)
