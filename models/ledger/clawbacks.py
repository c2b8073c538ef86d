"""Credits that go away again: money that went back, lapsed grants; and frozen accounts."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from models.base import utc_now
from models.ledger.entries import lock_account, record
from models.ledger.write_offs import write_off
from models.schema.ledger import EntryKind, EntryNote, FreezeReason, Transaction, WriteOffReason
from models.schema.users import User


def clawback(
    db: Session, user: User, kind: EntryKind, micros: int, *, reference: str, note: EntryNote
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
    db: Session, user: User, taken_by: str, absorbed_micros: int, note: EntryNote
) -> None:
    """Undo what `clawback` did to a locked account under the reference `taken_by`."""
    entry = db.scalars(select(Transaction).where(Transaction.reference == taken_by)).one()
    if entry.amount_micros:
        back = Transaction(
            kind=EntryKind.ADJUSTMENT,
            amount_micros=-entry.amount_micros,
            promotional_micros=-entry.promotional_micros,
            reference=f"undone:{taken_by}",
            reverses_id=entry.id,
            note=note,
        )
        record(db, user, back)
    if absorbed_micros:
        reference = f"undone:absorbed:{taken_by}"
        _absorb(db, user, -absorbed_micros, reference, WriteOffReason.CREDITS_BACK)


def freeze(user: User, reason: FreezeReason) -> None:
    """Let a locked account spend nothing more; what an audit found goes before other reasons."""
    user.spending_frozen_at = user.spending_frozen_at or utc_now()
    if user.spending_frozen_reason is not FreezeReason.AUDIT:
        user.spending_frozen_reason, user.spending_frozen_details = reason, {}


def unfreeze(user: User) -> None:
    """Let a locked account spend again."""
    user.spending_frozen_at, user.spending_frozen_reason = None, None
    user.spending_frozen_details = {}


def has_older_grants(db: Session, granted_before: datetime, limit: int = 100) -> list[UUID]:
    """List people of whom a grant is that old and was not looked at yet, the oldest grants first.

    Of whom something lapsed today already, the rest was held: they are left until tomorrow.
    """
    today = func.concat("expiry:", User.id, f":{utc_now():%Y-%m-%d}")
    wanted = select(User.id).where(
        User.oldest_grant_at < granted_before,
        ~select(Transaction.id).where(Transaction.reference == today).exists(),
    )
    return list(db.scalars(wanted.order_by(User.oldest_grant_at).limit(limit)))


def expire_grants(db: Session, user_id: UUID, granted_before: datetime) -> bool:
    """Let what a person has left of older grants lapse; tell whether anything was.

    Granted credits are used oldest first. So what a person has of them beyond all that was granted
    since is left of older ones. What running calls hold stays until a later day.
    """
    user = lock_account(db, user_id)
    newer, next_at = db.execute(
        select(
            func.coalesce(func.sum(Transaction.promotional_micros), 0),
            func.min(Transaction.created_at),
        ).where(
            Transaction.user_id == user_id,
            Transaction.kind == EntryKind.GRANT,
            Transaction.created_at >= granted_before,
        )
    ).one()
    older = user.credits_promotional_micros - int(newer)
    lapsed = min(older, user.credits_available_micros)
    has_lapsed = lapsed > 0 and record(db, user, _expiry(user_id, lapsed))
    if older <= 0 or (has_lapsed and lapsed == older):
        user.oldest_grant_at = next_at
        db.flush()
    return has_lapsed


def _expiry(user_id: UUID, micros: int) -> Transaction:
    return Transaction(
        kind=EntryKind.EXPIRY,
        amount_micros=-micros,
        reference=f"expiry:{user_id}:{utc_now():%Y-%m-%d}",
        note=EntryNote.GRANT_EXPIRED,
    )


def _absorb(db: Session, user: User, micros: int, reference: str, reason: WriteOffReason) -> None:
    entry = Transaction(amount_micros=0, provider_cost_micros=micros, reference=reference)
    write_off(db, user, entry, reason, carried_micros=micros)
