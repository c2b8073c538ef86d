"""Switches: what admins change about the product while it runs."""

from uuid import UUID

from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, Created, Details


class SwitchVersion(Base):
    """All switches as an admin left them; the latest version counts. A trigger refuses changes."""

    __tablename__ = "switch_versions"

    # Counted up by one with each change.
    version: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    # As `models.ops.switches.Switches` reads them.
    switches: Mapped[Details]
    # Who changed them and why: as in the audit log, without a foreign key.
    admin_id: Mapped[UUID]
    admin_email: Mapped[str]
    reason: Mapped[str]
    created_at: Mapped[Created]
