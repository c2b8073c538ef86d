"""The entries themselves, and the lock under which they are made."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import cast
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from models.base import utc_now
from models.errors import Refused
from models.schema.ledger import EntryKind, FreezeReason, Transaction
from models.schema.users import User


class OutOfCredit(Refused):
    """A user's credits are used up."""

    code = "out_of_credit"


class SpendingFrozen(Refused):
    """An account may not spend; its `reason` and `details` say why."""

    code = "spending_frozen"

    def __init__(
        self, reason: FreezeReason | None = None, details: Mapping[str, object] | None = None
    ) -> None:
        super().__init__(**(details or {}))
        self.reason = reason


@dataclass(frozen=True)
class CallCost:
    """What one model call used, as the meter counted it."""

    tokens_in: int
    tokens_out: int
    tokens_cache_read: int
    tokens_cache_write: int
    provider_cost_micros: int
    charge_micros: int
    price_version: str
    is_estimated: bool
    # It listened to a recording and heard no words.
    is_unheard: bool = False


def lock_account(db: Session, user_id: UUID) -> User:
    """Take the lock under which a person's money and lane change; raise NoResultFound if unknown.

    Always the first lock of a transaction: whoever took a job's first could wait for ever.
    """
    return db.scalars(
        select(User)
        .where(User.id == user_id)
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    ).one()


def grant(db: Session, user_id: UUID, amount_micros: int, *, reference: str) -> None:
    """Give a user credits, once per reference.

    Jobs that wait for credits are resumed by whoever grants: the ledger knows no jobs.
    """
    user = lock_account(db, user_id)
    entry = Transaction(kind=EntryKind.GRANT, amount_micros=amount_micros, reference=reference)
    record(db, user, entry)


def top_up(db: Session, user: User, amount_micros: int, *, reference: str) -> None:
    """Give a locked account credits that were paid for, once per reference."""
    record(
        db,
        user,
        Transaction(kind=EntryKind.TOP_UP, amount_micros=amount_micros, reference=reference),
    )


def is_booked(db: Session, reference: str) -> bool:
    """Tell whether the books have an entry of this reference."""
    return db.scalar(select(Transaction.id).where(Transaction.reference == reference)) is not None


def record(db: Session, user: User, entry: Transaction) -> bool:
    """Append `entry` to the books of a locked account; False if its reference is there already.

    Which bucket it is of follows from its kind, unless it says so itself.
    """
    if is_booked(db, entry.reference):
        return False
    entry.user_id = user.id
    given = cast(int | None, entry.promotional_micros)
    entry.promotional_micros = _promotional_part(user, entry) if given is None else given
    db.add(entry)
    user.credits_balance_micros += entry.amount_micros
    user.credits_promotional_micros += entry.promotional_micros
    if entry.promotional_micros > 0 and user.oldest_grant_at is None:
        # What comes back is of grants that have lapsed meanwhile: it is looked at next time.
        is_new = entry.kind is EntryKind.GRANT
        user.oldest_grant_at = utc_now() if is_new else user.created_at
    db.flush()
    return True


def _promotional_part(user: User, entry: Transaction) -> int:
    """Granted credits are used first; money that goes back takes bought ones first."""
    amount, promotional = entry.amount_micros, user.credits_promotional_micros
    if entry.kind in {EntryKind.GRANT, EntryKind.EXPIRY}:
        return amount
    if amount >= 0:
        return 0
    if entry.kind in {EntryKind.PAYMENT_REFUND, EntryKind.CHARGEBACK}:
        bought = user.credits_balance_micros - promotional
        return min(amount + bought, 0)
    return max(amount, -promotional)


def drift(db: Session, user_id: UUID) -> int:
    """Return how far the cached balance is from the sum of the entries, in micros; 0 is right.

    If that is right and the part that was granted is not, it is that which is returned.
    """
    user = lock_account(db, user_id)
    total = _sum_of(db, user_id, Transaction.amount_micros)
    promotional = _sum_of(db, user_id, Transaction.promotional_micros)
    return (user.credits_balance_micros - total) or (user.credits_promotional_micros - promotional)


def _sum_of(db: Session, user_id: UUID, micros: InstrumentedAttribute[int]) -> int:
    entries = select(func.coalesce(func.sum(micros), 0)).where(Transaction.user_id == user_id)
    return int(db.scalar(entries) or 0)
