"""Who has had the free credit, and who was refused it."""

import enum
from uuid import UUID

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, Created, PrimaryKey, stored_as_text


class RefusalReason(enum.StrEnum):
    CLAIMED = "claimed"
    DISPOSABLE = "disposable"
    BLOCKED = "blocked"
    NETWORK = "network"
    # An admin's list says so, of the network, the domain or the user: not yet, or not at all.
    HELD = "held"
    LISTED = "listed"


class FreeCreditClaim(Base):
    __tablename__ = "free_credit_claims"
    __table_args__ = (
        Index("ix_free_credit_claims_network_hash_created_at", "network_hash", "created_at"),
        Index("ix_free_credit_claims_created_at", "created_at"),
    )

    id: Mapped[PrimaryKey]
    # Without its person when the account is gone: the mailbox has had the credit all the same.
    user_id: Mapped[UUID | None] = mapped_column(
        ForeignKey("users.id", ondelete="SET NULL"), index=True
    )
    mailbox_hash: Mapped[str] = mapped_column(unique=True)
    network_hash: Mapped[str | None]
    created_at: Mapped[Created]


class FreeCreditRefusal(Base):
    __tablename__ = "free_credit_refusals"
    __table_args__ = (Index("ix_free_credit_refusals_created_at", "created_at"),)

    id: Mapped[PrimaryKey]
    user_id: Mapped[UUID | None] = mapped_column(
        ForeignKey("users.id", ondelete="SET NULL"), index=True
    )
    reason: Mapped[RefusalReason] = mapped_column(stored_as_text(RefusalReason))
    mailbox_hash: Mapped[str]
    network_hash: Mapped[str | None]
    created_at: Mapped[Created]
