"""Payments, their refunds and disputes, what Stripe has told us, and how a person pays."""

import enum
from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, Created, Details, PrimaryKey, stored_as_text


class PaymentKind(enum.StrEnum):
    # On Stripe's page, by the person.
    CHECKOUT = "checkout"
    # With a saved card, by us, as the person told us to.
    AUTOMATIC = "automatic"


class PaymentStatus(enum.StrEnum):
    OPEN = "open"
    # The person is done; their bank takes its time.
    PROCESSING = "processing"
    PAID = "paid"
    FAILED = "failed"
    EXPIRED = "expired"


class DisputeStatus(enum.StrEnum):
    OPEN = "open"
    WON = "won"
    LOST = "lost"


class PaymentFailure(enum.StrEnum):
    """Why a payment came to nothing. The first ones are Stripe's own codes."""

    AUTHENTICATION_REQUIRED = "authentication_required"
    CARD_DECLINED = "card_declined"
    EXPIRED_CARD = "expired_card"
    INSUFFICIENT_FUNDS = "insufficient_funds"
    # For any other reason of Stripe's, or of ours.
    NOT_COMPLETED = "not_completed"
    PAGE_NOT_OPENED = "page_not_opened"
    # From before there were codes; its details have the text.
    OTHER = "other"


class TopUpOffReason(enum.StrEnum):
    """Why we top up by ourselves no more."""

    # The bank wants its customer to confirm each payment.
    BANK_ASKS = "bank_asks"
    # With the last failure, and how often it was tried.
    TRIED_TOO_OFTEN = "tried_too_often"
    CARD_REMOVED = "card_removed"
    # A payment was refunded or disputed.
    MONEY_WENT_BACK = "money_went_back"
    OTHER = "other"


class EventTrouble(enum.StrEnum):
    """Why an event of Stripe's can have no effect."""

    # It is about another amount or currency than we asked for.
    AMOUNT_DIFFERS = "amount_differs"
    # It breaks this constraint of the tables.
    CONTRADICTS_BOOKS = "contradicts_books"
    OTHER = "other"


class Payment(Base):
    __tablename__ = "payments"
    __table_args__ = (
        CheckConstraint("amount_micros > 0", name="amount_positive"),
        CheckConstraint("(status = 'paid') = (paid_at IS NOT NULL)", name="paid_has_time"),
        CheckConstraint("(status = 'paid') = (charged_micros IS NOT NULL)", name="paid_has_sum"),
        CheckConstraint("(status = 'failed') = (failure IS NOT NULL)", name="failed_has_reason"),
        CheckConstraint("returned_micros BETWEEN 0 AND amount_micros", name="returned_within_it"),
        CheckConstraint("absorbed_micros BETWEEN 0 AND returned_micros", name="absorbed_within_it"),
        Index("ix_payments_user_id_id", "user_id", "id"),
        # A saved card is charged once at a time.
        Index(
            "uq_payments_automatic_in_flight",
            "user_id",
            unique=True,
            postgresql_where=text("kind = 'automatic' AND status IN ('open', 'processing')"),
        ),
        # Admins are told of those that nobody has heard the end of.
        Index(
            "ix_payments_pending",
            "created_at",
            postgresql_where=text("status IN ('open', 'processing')"),
        ),
    )

    id: Mapped[PrimaryKey]
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id"))
    kind: Mapped[PaymentKind] = mapped_column(stored_as_text(PaymentKind))
    status: Mapped[PaymentStatus] = mapped_column(
        stored_as_text(PaymentStatus), default=PaymentStatus.OPEN
    )
    # The credits that are bought; and what was paid for them, taxes included.
    amount_micros: Mapped[int]
    charged_micros: Mapped[int | None]
    # Credits that went back with refunds; and the part of it that had been used up before.
    returned_micros: Mapped[int] = mapped_column(default=0, server_default="0")
    absorbed_micros: Mapped[int] = mapped_column(default=0, server_default="0")
    stripe_checkout_id: Mapped[str | None] = mapped_column(unique=True)
    stripe_intent_id: Mapped[str | None] = mapped_column(unique=True)
    receipt_url: Mapped[str | None]
    failure: Mapped[PaymentFailure | None] = mapped_column(stored_as_text(PaymentFailure))
    failure_details: Mapped[Details]
    created_at: Mapped[Created]
    paid_at: Mapped[datetime | None]

    @property
    def is_pending(self) -> bool:
        return self.status in {PaymentStatus.OPEN, PaymentStatus.PROCESSING}


class Refund(Base):
    """Money of a payment that goes back to who paid."""

    __tablename__ = "payment_refunds"
    __table_args__ = (
        CheckConstraint("back_micros > 0", name="back_positive"),
        CheckConstraint("taken_micros >= 0 AND absorbed_micros >= 0", name="not_negative"),
    )

    # Stripe's own.
    id: Mapped[str] = mapped_column(primary_key=True)
    payment_id: Mapped[UUID] = mapped_column(ForeignKey("payments.id"), index=True)
    # The money, taxes included; and the credits that it took, and what had been used up before.
    back_micros: Mapped[int]
    taken_micros: Mapped[int]
    absorbed_micros: Mapped[int]
    created_at: Mapped[Created]
    # When Stripe said that it did not arrive: then nothing of it counts.
    failed_at: Mapped[datetime | None]


class Dispute(Base):
    __tablename__ = "payment_disputes"
    __table_args__ = (
        CheckConstraint("(status = 'open') = (closed_at IS NULL)", name="closed_has_time"),
        CheckConstraint("taken_micros >= 0 AND absorbed_micros >= 0", name="not_negative"),
    )

    # Stripe's own.
    id: Mapped[str] = mapped_column(primary_key=True)
    payment_id: Mapped[UUID] = mapped_column(ForeignKey("payments.id"), index=True)
    status: Mapped[DisputeStatus] = mapped_column(stored_as_text(DisputeStatus))
    # Credits that it took, and what had been used up before.
    taken_micros: Mapped[int]
    absorbed_micros: Mapped[int]
    created_at: Mapped[Created]
    closed_at: Mapped[datetime | None]


class StripeEvent(Base):
    """An event whose effect is there: its row is written in the transaction that has the effect.

    One that has `trouble` had none, for this reason, and waits for somebody to look into it.
    """

    __tablename__ = "stripe_events"
    __table_args__ = (
        Index(
            "ix_stripe_events_set_aside",
            "created_at",
            postgresql_where=text("trouble IS NOT NULL"),
        ),
    )

    id: Mapped[str] = mapped_column(primary_key=True)
    kind: Mapped[str]
    # When it happened, by Stripe's clock; and when it was taken in.
    happened_at: Mapped[datetime]
    trouble: Mapped[EventTrouble | None] = mapped_column(stored_as_text(EventTrouble))
    trouble_details: Mapped[Details]
    # Whose it is, kept of one with trouble; None of all others, or when their account is gone.
    user_id: Mapped[UUID | None] = mapped_column(
        ForeignKey("users.id", ondelete="SET NULL"), index=True
    )
    created_at: Mapped[Created]


class BillingAccount(Base):
    """How a person pays; it is there from their first payment on."""

    __tablename__ = "billing_accounts"
    __table_args__ = (
        CheckConstraint(
            "NOT top_up_is_on OR card_id IS NOT NULL AND top_up_below_micros IS NOT NULL"
            " AND top_up_micros IS NOT NULL AND top_up_monthly_micros IS NOT NULL",
            name="on_is_complete",
        ),
        Index("ix_billing_accounts_top_up", "user_id", postgresql_where=text("top_up_is_on")),
    )

    user_id: Mapped[UUID] = mapped_column(
        ForeignKey("users.id", ondelete="CASCADE"), primary_key=True
    )
    stripe_customer_id: Mapped[str | None] = mapped_column(unique=True)
    # The card that was saved last, by Stripe's id, and what people call it.
    card_id: Mapped[str | None]
    card_brand: Mapped[str | None]
    card_last4: Mapped[str | None]
    # Stripe's mark of its number, which is the same for whoever uses it.
    card_fingerprint: Mapped[str | None] = mapped_column(index=True)
    # Automatic top-up: below what, by how much, and at most how much in a month.
    top_up_is_on: Mapped[bool] = mapped_column(default=False, server_default="false")
    top_up_below_micros: Mapped[int | None]
    top_up_micros: Mapped[int | None]
    top_up_monthly_micros: Mapped[int | None]
    # Failures in a row; and why it was switched off by us.
    top_up_failures: Mapped[int] = mapped_column(default=0, server_default="0")
    top_up_off_reason: Mapped[TopUpOffReason | None] = mapped_column(stored_as_text(TopUpOffReason))
    top_up_off_details: Mapped[Details]
    created_at: Mapped[Created]
