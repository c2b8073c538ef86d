"""How freezes of accounts ended, and by whom."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, Created, Details, PrimaryKey, stored_as_text
from models.schema.ledger import FreezeReason


class Unfreezing(Base):
    """The end of a freeze, for whoever asks later why an account may spend."""

    __tablename__ = "unfreezings"

    id: Mapped[PrimaryKey]
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    # The freeze that ended.
    frozen_at: Mapped[datetime]
    frozen_reason: Mapped[FreezeReason] = mapped_column(stored_as_text(FreezeReason))
    frozen_details: Mapped[Details]
    # Why it was ended although the audit still found something.
    forced_because: Mapped[str | None]
    # Who did it on the site; None if it was done by hand, or their account is gone.
    admin_id: Mapped[UUID | None] = mapped_column(
        ForeignKey("users.id", ondelete="SET NULL"), index=True
    )
    created_at: Mapped[Created]
