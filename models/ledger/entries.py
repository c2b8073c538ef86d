"""The entries themselves, and the lock under which they are made."""

import enum
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, func, select, text
from sqlalchemy.orm import InstrumentedAttribute, Mapped, Session, mapped_column

from models.base import Base, Created, Details, PrimaryKey, stored_as_text, utc_now
from models.errors import Refused

if TYPE_CHECKING:
    from models.users import User


class EntryKind(enum.StrEnum):
    GRANT = "grant"
    CHARGE = "charge"
    # A charge given back, because the answer it was for never came.
    REFUND = "refund"
    # What cost us and not the person: amount 0, with the cost for our own books.
    ABSORBED = "absorbed"
    # Credits that were bought, and those that went back with the money.
    TOP_UP = "top_up"
    PAYMENT_REFUND = "payment_refund"
    CHARGEBACK = "chargeback"
    # Somebody put something right, either way; a dispute that was won does so too.
    ADJUSTMENT = "adjustment"
    # Granted credits that nobody used in time.
    EXPIRY = "expiry"


class WriteOffReason(enum.StrEnum):
    """Why a charge was given back, or why a cost is at our expense: see `write_offs`."""

    # Something of ours failed, and no answer came.
    JOB_FAILED = "job_failed"
    # A limit, or the person's own request, ended the answer before anything of it was shown.
    NOTHING_SHOWN = "nothing_shown"
    # The attempt was given up, and another one made.
    BEGUN_AGAIN = "begun_again"
    # The credits ran out before the first word; the message waits for more.
    OUT_OF_CREDIT = "out_of_credit"
    # The worker died, with what the attempt had been charged; and with calls that were open, of
    # which nobody knows what they used.
    WORKER_LOST = "worker_lost"
    CALL_LOST = "call_lost"
    # The call ended after its attempt had been given up.
    LATE_CALL = "late_call"
    # The provider counted more than what was held for the call.
    BEYOND_HOLD = "beyond_hold"
    # Credits that should have gone back with their money were used up; and were not, after all.
    CREDITS_GONE = "credits_gone"
    CREDITS_BACK = "credits_back"
    # Somebody of ours looked and gave a standing charge back.
    BY_HAND = "by_hand"


class EntryNote(enum.StrEnum):
    """What else is to be said of an entry, beside its kind and its reason."""

    PAYMENT_DISPUTED = "payment_disputed"
    DISPUTE_WON = "dispute_won"
    PAYMENT_REFUNDED = "payment_refunded"
    REFUND_FAILED = "refund_failed"
    GRANT_EXPIRED = "grant_expired"
    # The provider broke its answer off; the worker died with the call.
    CALL_CUT = "call_cut"
    CALL_LOST = "call_lost"
    # From before there were codes; its details have the text.
    OTHER = "other"


class FreezeReason(enum.StrEnum):
    """Why an account may not spend."""

    # An audit found something in it.
    AUDIT = "audit"
    # A bank took a payment back, or we gave one back, after its credits had been used.
    DISPUTE = "dispute"
    REFUND = "refund"
    # From before there were codes; its details have the text.
    OTHER = "other"


class Transaction(Base):
    __tablename__ = "transactions"
    __table_args__ = (
        CheckConstraint(
            "CASE kind WHEN 'charge' THEN amount_micros <= 0 WHEN 'absorbed' THEN amount_micros = 0"
            " WHEN 'payment_refund' THEN amount_micros <= 0"
            " WHEN 'chargeback' THEN amount_micros <= 0"
            " WHEN 'adjustment' THEN amount_micros <> 0 WHEN 'expiry' THEN amount_micros < 0"
            " ELSE amount_micros > 0 END",
            name="sign_fits_kind",
        ),
        CheckConstraint(
            "promotional_micros BETWEEN LEAST(amount_micros, 0) AND GREATEST(amount_micros, 0)",
            name="promotional_within_amount",
        ),
        CheckConstraint(
            "(kind IN ('refund', 'absorbed')) = (reason IS NOT NULL)", name="write_off_has_reason"
        ),
        Index("ix_transactions_user_id_id", "user_id", "id"),
        Index("ix_transactions_user_id_created_at", "user_id", "created_at"),
        # Each model call asks what was written off today; there is little of it.
        Index(
            "ix_transactions_written_off",
            "user_id",
            "created_at",
            postgresql_where=text("reason IS NOT NULL"),
        ),
    )

    id: Mapped[PrimaryKey]
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id"))
    kind: Mapped[EntryKind] = mapped_column(stored_as_text(EntryKind))
    # Positive adds to the person's credits, negative takes away.
    amount_micros: Mapped[int]
    # The part of it that is granted credit; the rest is bought.
    promotional_micros: Mapped[int] = mapped_column(server_default="0")
    reference: Mapped[str] = mapped_column(unique=True)
    # The model call that it is the charge or the cost of, or whose charge it gives back.
    call_id: Mapped[UUID | None] = mapped_column(ForeignKey("model_calls.id"), index=True)
    # The entry that it takes back, whole: each is taken back once.
    reverses_id: Mapped[UUID | None] = mapped_column(ForeignKey("transactions.id"), unique=True)
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
    # Why it was written off; nothing else has one.
    reason: Mapped[WriteOffReason | None] = mapped_column(stored_as_text(WriteOffReason))
    # What of a provider's bill is ours by this entry.
    carried_micros: Mapped[int] = mapped_column(default=0, server_default="0")
    # The most that could be given back that day, where that bounds it.
    cap_micros: Mapped[int | None]
    note: Mapped[EntryNote | None] = mapped_column(stored_as_text(EntryNote))
    note_details: Mapped[Details]
    created_at: Mapped[Created]


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
    """Give a person credits, once per reference; their paused messages go on."""
    from models.jobs.pausing import resume  # noqa: PLC0415  # jobs need the ledger

    user = lock_account(db, user_id)
    entry = Transaction(kind=EntryKind.GRANT, amount_micros=amount_micros, reference=reference)
    if record(db, user, entry):
        resume(db, user_id)


def top_up(db: Session, user: "User", amount_micros: int, *, reference: str) -> None:
    """Give a locked account credits that were paid for, once per reference."""
    record(
        db,
        user,
        Transaction(kind=EntryKind.TOP_UP, amount_micros=amount_micros, reference=reference),
    )


def is_booked(db: Session, reference: str) -> bool:
    """Tell whether the books have an entry of this reference."""
    return db.scalar(select(Transaction.id).where(Transaction.reference == reference)) is not None


def record(db: Session, user: "User", entry: Transaction) -> bool:
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


def _promotional_part(user: "User", entry: Transaction) -> int:
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
