"""Requests for a new password that still wait for their mail."""

from sqlalchemy.orm import Mapped

from models.base import Base, Created, PrimaryKey


class ResetRequest(Base):
    __tablename__ = "password_reset_requests"

    id: Mapped[PrimaryKey]
    # As it was typed, whether or not anybody has it. The row goes when it is answered.
    address: Mapped[str]
    created_at: Mapped[Created]
