"""The entries themselves, and the lock under which they are made."""

import enum
from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, func, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from models.base import Base, Created, PrimaryKey, stored_as_text
from models.errors import Refused

if TYPE_CHECKING:
    from models.users import User


class EntryKind(enum.StrEnum):
    GRANT = "grant"
    CHARGE = "charge"
    # A charge given back, because the answer it was for never came.
    REFUND = "refund"
    # A call that cost us and not the person: amount 0, with the provider's cost for our own books.
    ABSORBED = "absorbed"


class Transaction(Base):
    __tablename__ = "transactions"
    __table_args__ = (
        CheckConstraint(
            "CASE kind WHEN 'charge' THEN amount_micros <= 0 WHEN 'absorbed' THEN amount_micros = 0"
            " ELSE amount_micros > 0 END",
            name="sign_fits_kind",
        ),
        Index("ix_transactions_user_id_id", "user_id", "id"),
        Index("ix_transactions_user_id_created_at", "user_id", "created_at"),
    )

    id: Mapped[PrimaryKey]
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id"))
    kind: Mapped[EntryKind] = mapped_column(stored_as_text(EntryKind))
    # Positive adds to the person's credits, negative takes away.
    amount_micros: Mapped[int]
    reference: Mapped[str] = mapped_column(unique=True)
    job_id: Mapped[UUID | None] = mapped_column(index=True)
    model: Mapped[str | None]
    provider: Mapped[str | None]
    # Input that was neither read from nor written to the provider's cache.
    tokens_in: Mapped[int | None]
    tokens_out: Mapped[int | None]
    tokens_cache_read: Mapped[int | None]
    tokens_cache_write: Mapped[int | None]
    provider_cost_micros: Mapped[int | None]
    price_version: Mapped[str | None]
    # The stream ended before the provider told its usage: tokens were counted on the wire.
    is_estimated: Mapped[bool] = mapped_column(default=False, server_default="false")
    note: Mapped[str] = mapped_column(default="", server_default="")
    created_at: Mapped[Created]


class OutOfCredit(Refused):
    """Your credits are used up. Top up to go on; everything you have stays here."""


class SpendingFrozen(Refused):
    """Something in your account does not add up, so nothing can be spent until we have looked."""


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


def lock_account(db: Session, user_id: UUID) -> "User":
    """Take the lock under which a person's money and lane change; raise NoResultFound if unknown.

    Always the first lock of a transaction: whoever took a job's first could wait for ever.
    """
    from models.users import User  # noqa: PLC0415  # users need the ledger for the sign-up grant

    return db.scalars(
        select(User)
        .where(User.id == user_id)
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    ).one()


def grant(db: Session, user_id: UUID, amount_micros: int, *, reference: str) -> None:
    """Give a person credits, once per reference."""
    user = lock_account(db, user_id)
    record(
        db,
        user,
        Transaction(kind=EntryKind.GRANT, amount_micros=amount_micros, reference=reference),
    )


def is_booked(db: Session, reference: str) -> bool:
    """Tell whether the books have an entry of this reference."""
    return db.scalar(select(Transaction.id).where(Transaction.reference == reference)) is not None


def record(db: Session, user: "User", entry: Transaction) -> bool:
    """Append `entry` to the books of a locked account; False if its reference is there already."""
    if is_booked(db, entry.reference):
        return False
    entry.user_id = user.id
    db.add(entry)
    user.credits_balance_micros += entry.amount_micros
    db.flush()
    return True


def drift(db: Session, user_id: UUID) -> int:
    """Return how far the cached balance is from the sum of the entries, in micros; 0 is right."""
    user = lock_account(db, user_id)
    total = db.scalar(
        select(func.coalesce(func.sum(Transaction.amount_micros), 0)).where(
            Transaction.user_id == user_id
        )
    )
    return user.credits_balance_micros - int(total or 0)
