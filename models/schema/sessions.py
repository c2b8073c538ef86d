"""Sessions: the browsers that are logged in."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column, relationship

from models.base import Base, Created, PrimaryKey
from models.schema.users import User


class UserSession(Base):
    __tablename__ = "user_sessions"

    id: Mapped[PrimaryKey]
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    user_agent: Mapped[str] = mapped_column(default="", server_default="")
    created_at: Mapped[Created]
    seen_at: Mapped[Created]
    expires_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]
    # Whether this login still lacks the code of an app: until it has come, nobody is logged in.
    awaits_code: Mapped[bool] = mapped_column(default=False, server_default="false")
    # When a code was shown here, which the pages of admins ask for.
    two_factor_at: Mapped[datetime | None]

    user: Mapped[User] = relationship(lazy="raise")
