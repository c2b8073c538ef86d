"""What speaks against a user, and what admins have decided about networks, domains and users."""

import enum
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, Created, PrimaryKey, stored_as_text


class SubjectKind(enum.StrEnum):
    NETWORK = "network"
    # Of addresses, with all below it.
    DOMAIN = "domain"
    USER = "user"


class Verdict(enum.StrEnum):
    # The free credit is given whatever speaks against it.
    ALLOW = "allow"
    # The free credit waits until somebody has looked; a user sends nothing until then.
    HOLD = "hold"
    # No account and no free credit; a user sends nothing.
    BLOCK = "block"


class AbuseReason(enum.StrEnum):
    """What speaks against a user."""

    NETWORK_CROWDED = "network_crowded"
    DOMAIN_CROWDED = "domain_crowded"
    CREDIT_REFUSED = "credit_refused"
    SHARED_CARD = "shared_card"
    SHARED_DEVICE = "shared_device"
    VELOCITY = "velocity"
    SPEND_ANOMALY = "spend_anomaly"
    FAILED_PAYMENTS = "failed_payments"
    DISPUTED = "disputed"


class AccessRule(Base):
    """An entry of the lists: what is decided about a network, a domain or a user."""

    __tablename__ = "access_rules"
    __table_args__ = (
        CheckConstraint("(subject_kind = 'user') = (user_id IS NOT NULL)", name="user_has_id"),
        Index(
            "uq_access_rules_subject",
            "subject_kind",
            "subject",
            unique=True,
            postgresql_where=text("ended_at IS NULL"),
        ),
    )

    id: Mapped[PrimaryKey]
    subject_kind: Mapped[SubjectKind] = mapped_column(stored_as_text(SubjectKind))
    # A network's hash, a domain, or a user's id.
    subject: Mapped[str]
    # How admins typed it; they cannot read a hash.
    shown: Mapped[str]
    user_id: Mapped[UUID | None] = mapped_column(
        ForeignKey("users.id", ondelete="CASCADE"), index=True
    )
    verdict: Mapped[Verdict] = mapped_column(stored_as_text(Verdict))
    reason: Mapped[str]
    created_at: Mapped[Created]
    ended_at: Mapped[datetime | None]


class AbuseScore(Base):
    """How much speaks against a user, and what: a list of reasons, each with its points."""

    __tablename__ = "abuse_scores"
    __table_args__ = (Index("ix_abuse_scores_score", text("score DESC"), "user_id"),)

    user_id: Mapped[UUID] = mapped_column(
        ForeignKey("users.id", ondelete="CASCADE"), primary_key=True
    )
    score: Mapped[int]
    # Each with a `reason`, its `points` and a `number` of what was found.
    reasons: Mapped[list[dict[str, Any]]] = mapped_column(JSONB)
    scored_at: Mapped[datetime]


class SharedDevice(Base):
    """Two accounts that were logged in on one device."""

    __tablename__ = "shared_devices"

    user_id: Mapped[UUID] = mapped_column(
        ForeignKey("users.id", ondelete="CASCADE"), primary_key=True
    )
    other_user_id: Mapped[UUID] = mapped_column(
        ForeignKey("users.id", ondelete="CASCADE"), primary_key=True, index=True
    )
    created_at: Mapped[Created]
