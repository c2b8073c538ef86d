"""The append-only ledger."""

import enum
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, Created, Details, PrimaryKey, stored_as_text


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
    # The model listened to a recording in which no words were heard.
    NOTHING_HEARD = "nothing_heard"
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
    # An admin put something right, or gave something.
    BY_ADMIN = "by_admin"
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
        # Rolled-up numbers add up the entries of some hours.
        Index("ix_transactions_created_at", "created_at", postgresql_using="brin"),
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

    @property
    def is_of_recording(self) -> bool:
        """Whether it is about a call that listened to a recording: no other call lacks a job."""
        return self.call_id is not None and self.job_id is None
