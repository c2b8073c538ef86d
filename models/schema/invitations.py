"""Invitation codes, who came by them, and who waits for one."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, Created, PrimaryKey


class Invitation(Base):
    """A code with which so many may begin an account, while that takes an invitation."""

    __tablename__ = "invitations"
    __table_args__ = (
        CheckConstraint("uses_max > 0", name="uses_max_positive"),
        # Counted here, so that an account that goes gives no place free.
        CheckConstraint("uses BETWEEN 0 AND uses_max", name="uses_within_max"),
        CheckConstraint("bonus_micros >= 0", name="bonus_not_negative"),
    )

    id: Mapped[PrimaryKey]
    code: Mapped[str] = mapped_column(unique=True)
    # Whom or what it is for, as admins call it.
    label: Mapped[str]
    uses_max: Mapped[int]
    uses: Mapped[int] = mapped_column(default=0, server_default="0")
    # What who comes by it is granted, beside the free credit.
    bonus_micros: Mapped[int] = mapped_column(default=0, server_default="0")
    expires_at: Mapped[datetime | None]
    # When an admin ended it.
    ended_at: Mapped[datetime | None]
    created_at: Mapped[Created]


class InvitationUse(Base):
    """Who came by a code."""

    __tablename__ = "invitation_uses"

    # Nobody comes twice.
    user_id: Mapped[UUID] = mapped_column(
        ForeignKey("users.id", ondelete="CASCADE"), primary_key=True
    )
    invitation_id: Mapped[UUID] = mapped_column(ForeignKey("invitations.id"), index=True)
    created_at: Mapped[Created]


class WaitingAddress(Base):
    """Somebody without an account who would like one."""

    __tablename__ = "waiting_addresses"
    __table_args__ = (
        Index("ix_waiting_addresses_waits", "id", postgresql_where=text("invited_at IS NULL")),
    )

    id: Mapped[PrimaryKey]
    address: Mapped[str] = mapped_column(unique=True)
    # When they were sent a code, and which.
    invited_at: Mapped[datetime | None]
    invitation_id: Mapped[UUID | None] = mapped_column(ForeignKey("invitations.id"), index=True)
    created_at: Mapped[Created]
