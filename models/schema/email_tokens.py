"""Links that were mailed, each good for one purpose."""

import enum
from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, Created, PrimaryKey, stored_as_text


class LinkPurpose(enum.StrEnum):
    VERIFICATION = "verification"
    PASSWORD_RESET = "password_reset"  # noqa: S105  # a purpose
    ADDRESS_CHANGE = "address_change"
    ADDRESS_UNDO = "address_undo"
    GOOGLE_CONNECTION = "google_connection"


class EmailToken(Base):
    __tablename__ = "mailed_links"

    id: Mapped[PrimaryKey]
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    purpose: Mapped[LinkPurpose] = mapped_column(stored_as_text(LinkPurpose))
    # Where it was sent.
    address: Mapped[str]
    # The logged-in browser that asked for it, where its rule wants that one to be there still.
    session_id: Mapped[UUID | None] = mapped_column(
        ForeignKey("user_sessions.id", ondelete="CASCADE"), index=True
    )
    secret_hash: Mapped[str] = mapped_column(unique=True)
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]
    created_at: Mapped[Created]
