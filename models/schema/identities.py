"""Who a user is to another company that vouches for them."""

import enum
from uuid import UUID

from sqlalchemy import ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, Created, PrimaryKey, stored_as_text


class IdentityKind(enum.StrEnum):
    GOOGLE = "google"


class Identity(Base):
    __tablename__ = "identities"
    __table_args__ = (UniqueConstraint("kind", "subject"), UniqueConstraint("user_id", "kind"))

    id: Mapped[PrimaryKey]
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    kind: Mapped[IdentityKind] = mapped_column(stored_as_text(IdentityKind))
    subject: Mapped[str]
    # What the provider called it when it was last used: it is shown, and decides nothing.
    email: Mapped[str]
    created_at: Mapped[Created]
    last_used_at: Mapped[Created]
