"""What audits found, and when they ran."""

import enum
from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, Created, PrimaryKey, stored_as_text


class AuditRule(enum.StrEnum):
    """What must hold of the books."""

    # The balance is the sum of the entries.
    BALANCE_IS_SUM = "balance_is_sum"
    # The granted part is the sum of the granted parts.
    GRANTED_IS_SUM = "granted_is_sum"
    # What is held is what open calls hold.
    HELD_BY_OPEN_CALLS = "held_by_open_calls"
    # A charge has its call.
    CHARGE_HAS_CALL = "charge_has_call"
    # A call has its charge, or was absorbed.
    CALL_HAS_CHARGE = "call_has_charge"
    # A refund gives back a whole charge.
    REFUND_IS_WHOLE = "refund_is_whole"
    # What is written off has its reason.
    WRITE_OFF_HAS_REASON = "write_off_has_reason"
    # What is given back in a day stays within its cap.
    WITHIN_DAILY_CAP = "within_daily_cap"
    # A charge stands or was given back.
    CHARGE_STANDS_OR_RETURNED = "charge_stands_or_returned"
    # What was paid is what was topped up.
    PAID_IS_TOPPED_UP = "paid_is_topped_up"
    # What went back of a payment is what its refunds took.
    RETURNED_IS_REFUNDED = "returned_is_refunded"
    # What Stripe was paid and gave back is what the books say: see `payments.reconciliation`.
    STRIPE_PAYMENTS = "stripe_payments"
    STRIPE_REFUNDS = "stripe_refunds"
    # A rule from before there were codes, that is no more; the subject names it.
    OTHER = "other"


class AuditFinding(Base):
    __tablename__ = "audit_findings"
    __table_args__ = (
        # What comes again after its end is another finding.
        Index(
            "uq_audit_findings_open",
            "rule",
            "subject",
            "off_by_micros",
            unique=True,
            postgresql_where=text("resolved_at IS NULL"),
        ),
    )

    id: Mapped[PrimaryKey]
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    rule: Mapped[AuditRule] = mapped_column(stored_as_text(AuditRule))
    # What breaks it: an account, an entry or a call.
    subject: Mapped[str]
    off_by_micros: Mapped[int]
    created_at: Mapped[Created]
    # When an audit saw it no more.
    resolved_at: Mapped[datetime | None]


class Books(enum.StrEnum):
    """What an audit looks through."""

    LEDGER = "ledger"
    # The payments and refunds of recent days, held against Stripe's own.
    STRIPE = "stripe"


class AuditRun(Base):
    """The last audit that came to its end, of each kind of books."""

    __tablename__ = "audit_runs"

    books: Mapped[Books] = mapped_column(stored_as_text(Books), primary_key=True)
    began_at: Mapped[datetime]
    # Up to when entries are added up in `audit_sums`; whom the rolling part audited last.
    through_at: Mapped[datetime | None]
    rolled_id: Mapped[UUID | None]


class AuditSum(Base):
    """What a user's entries were, added up to the moment that their audit names."""

    __tablename__ = "audit_sums"

    user_id: Mapped[UUID] = mapped_column(
        ForeignKey("users.id", ondelete="CASCADE"), primary_key=True
    )
    amount_micros: Mapped[int]
    granted_micros: Mapped[int]
