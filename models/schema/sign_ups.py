"""Sign-ups that wait for the link in their mail."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, Created, PrimaryKey


class SignUp(Base):
    __tablename__ = "sign_ups"
    __table_args__ = (
        Index("ix_sign_ups_mail_due", "id", postgresql_where=text("is_mail_due")),
        Index("ix_sign_ups_expires_at", "expires_at"),
    )

    id: Mapped[PrimaryKey]
    address: Mapped[str]
    # Empty once the account began with another one, which its owner chose.
    password_hash: Mapped[str]
    # What the newcomer says about themselves while the mail is on its way.
    name: Mapped[str] = mapped_column(default="", server_default="")
    timezone: Mapped[str] = mapped_column(default="UTC", server_default="UTC")
    needs: Mapped[str] = mapped_column(default="", server_default="")
    # Of the secret in its link, which can be made again from the id: every mail has the same.
    secret_hash: Mapped[str] = mapped_column(unique=True)
    # The code that they came with.
    invitation_id: Mapped[UUID | None] = mapped_column(
        ForeignKey("invitations.id", ondelete="SET NULL")
    )
    is_mail_due: Mapped[bool] = mapped_column(default=True, server_default="true")
    # The account that began with it, and when. Of those that another one of the same address has
    # retired, only when: their browsers wait on, and learn nothing of it.
    user_id: Mapped[UUID | None] = mapped_column(
        ForeignKey("users.id", ondelete="CASCADE"), index=True
    )
    confirmed_at: Mapped[datetime | None]
    # When the browser that signed up went on as that account.
    continued_at: Mapped[datetime | None]
    expires_at: Mapped[datetime]
    created_at: Mapped[Created]

    @property
    def is_introduced(self) -> bool:
        return bool(self.name)
