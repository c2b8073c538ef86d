"""Charges that stand though their job failed."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, Created, PrimaryKey, stored_as_text
from models.schema.ledger import WriteOffReason


class StandingCharge(Base):
    """A charge that was not given back although no answer came: the day's cap was used up."""

    __tablename__ = "standing_charges"
    __table_args__ = (Index("ix_standing_charges_user_id_created_at", "user_id", "created_at"),)

    id: Mapped[PrimaryKey]
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id"))
    call_id: Mapped[UUID] = mapped_column(ForeignKey("model_calls.id"), unique=True)
    job_id: Mapped[UUID] = mapped_column(index=True)
    # What it would have been given back for.
    reason: Mapped[WriteOffReason] = mapped_column(stored_as_text(WriteOffReason))
    charged_micros: Mapped[int]
    created_at: Mapped[Created]
    # When somebody of ours looked and gave it back by hand.
    given_back_at: Mapped[datetime | None]
