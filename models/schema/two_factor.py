"""Two-factor sign-in: the secret that an authenticator app shares with us, and recovery codes."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, Created, PrimaryKey


class TwoFactor(Base):
    """A user's authenticator app; it counts once a code of it has been typed."""

    __tablename__ = "two_factors"

    user_id: Mapped[UUID] = mapped_column(
        ForeignKey("users.id", ondelete="CASCADE"), primary_key=True
    )
    # Encrypted with a key that is made from SECRET_KEY.
    sealed_secret: Mapped[str]
    confirmed_at: Mapped[datetime | None]
    # The time step of the last code that was taken: neither it nor one before it is taken again.
    last_step: Mapped[int] = mapped_column(default=0, server_default="0")
    # Wrong codes one after another, and when the first of them came.
    wrong_codes: Mapped[int] = mapped_column(default=0, server_default="0")
    wrong_since: Mapped[datetime | None]
    created_at: Mapped[Created]


class RecoveryCode(Base):
    """A code that takes the place of the app, once."""

    __tablename__ = "recovery_codes"

    id: Mapped[PrimaryKey]
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    code_hash: Mapped[str]
    used_at: Mapped[datetime | None]
    created_at: Mapped[Created]
